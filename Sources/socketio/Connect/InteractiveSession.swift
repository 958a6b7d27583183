import ArgumentParser
import SocketIOClient

/// Shows what comes and sends what is typed, until the user leaves.
final class InteractiveSession {
    private let client: SocketIOClient
    private let mailbox: Mailbox
    private let sender: Sender
    private let console: Console
    private let wantsAnswers: Bool
    /// Sent after the first connection.
    private var emissions: [SingleShot.Emission] = []
    private var hasConnected = false
    /// The last failure that was shown.
    private var shownFailure: String?

    init(_ client: SocketIOClient, _ mailbox: Mailbox, _ sender: Sender, _ console: Console, wantsAnswers: Bool) {
        self.client = client
        self.mailbox = mailbox
        self.sender = sender
        self.console = console
        self.wantsAnswers = wantsAnswers
    }

    /// - Throws: ``CommandFailure`` if there is no connection to be had, `ExitCode` if that was shown.
    func run(sending emissions: [SingleShot.Emission]) async throws {
        self.emissions = emissions
        let (client, mailbox) = (self.client, self.mailbox)
        let signals = await mailbox.listen(to: .sigint, .sigterm, .sighup, .sigwinch)
        defer { signals.cancel() }
        let namespace = client.namespace
        client.onConnectError { [weak client] error in
            mailbox.post(.notConnected(ConnectErrors.explain(error, namespace: namespace)))
            if client?.active == false { mailbox.post(.gaveUp) }
        }
        client.onReconnectAttempt { mailbox.post(.reconnecting(attempt: $0)) }
        if self.console.isInteractive {
            client.onAnyOutgoing { name, arguments in mailbox.post(.sent(name, arguments)) }
        }
        self.console.begin()
        defer { self.console.end() }
        // It throws for what another attempt does not change; a server that is not there yet is tried again.
        let first = Task {
            do { try await client.connect() } catch is CancellationError {} catch {
                mailbox.post(.connectFailed(ConnectErrors.explain(error, namespace: namespace)))
            }
        }
        defer { first.cancel() }
        StandardStreams.readInput { mailbox.post(.input($0)) }

        let failure = await self.takeMessages()
        await self.sender.close()
        guard let failure else { return }
        if failure == self.shownFailure { throw ExitCode.failure }
        throw CommandFailure("socketio: \(failure)")
    }

    private enum Next { case goOn, leave, fail(String) }

    /// Returns why the command can't go on; nil if the user wants to leave.
    private func takeMessages() async -> String? {
        for await message in self.mailbox.messages {
            switch self.take(message) {
            case .goOn: continue
            case .leave: return nil
            case .fail(let reason): return reason
            }
        }
        return nil
    }

    private func take(_ message: SessionMessage) -> Next {
        switch message {
        case .signal(.sigwinch): self.console.refresh()
        case .signal: return .leave
        case .connectFailed(let reason): if !self.hasConnected { return .fail(reason) }
        case .gaveUp:
            guard self.hasConnected else { return .goOn }
            guard self.console.isInteractive else { return .fail("the client does not connect again by itself") }
            self.note("the client does not connect again by itself; /connect does, Control-D leaves")
        case .occurrence(let occurrence): self.take(occurrence)
        case .input(let bytes):
            for input in self.console.read(bytes) {
                switch input {
                case .line(let line): if self.take(line) { return .leave }
                case .leave: return .leave
                }
            }
            self.console.refresh()
        case .timeout, .closed: break
        }
        return self.console.isBroken ? .leave : .goOn
    }

    private func take(_ occurrence: Occurrence) {
        self.console.show(occurrence)
        switch occurrence.kind {
        case .event:
            let dropped = self.mailbox.took()
            if dropped > 0 { self.note("\(dropped) events dropped: they come faster than they can be written") }
        case .notConnected(let reason): self.shownFailure = reason
        case .connected:
            guard !self.hasConnected else { return }
            self.hasConnected = true
            if self.console.isInteractive { self.note("type: event \"text\" {\"key\":1} …; /help says more") }
            for event in self.emissions { self.sender.send(event.name, event.values, wantsAnswer: event.wantsAnswer) }
            self.emissions = []
        default: break
        }
    }

    /// Returns whether the user wants to leave.
    private func take(_ text: String) -> Bool {
        let line: TypedLine
        do { line = try TypedLine(text) } catch {
            self.console.show(fault: error, in: text)
            return false
        }
        switch line {
        case .nothing: break
        case .event(let event): self.send(event)
        case .command(.quit): return true
        case .command(.help): for line in Self.help { self.console.show(line) }
        case .command(.connect): self.client.open()
        case .command(.disconnect): self.client.disconnect()
        }
        return false
    }

    private func send(_ event: TypedEvent) {
        do {
            let values = try event.values(standardInput: false)
            if self.hasConnected, !self.client.connected {
                self.note("there is no connection; it is sent over the next")
            }
            self.sender.send(event.name, values, wantsAnswer: event.wantsAnswer || self.wantsAnswers)
        } catch {
            self.mailbox.post(.failure(ConnectErrors.explain(error, namespace: "")))
        }
    }

    private func note(_ text: String) {
        self.console.show(Occurrence(milliseconds: WallClock.milliseconds, kind: .note(text)))
    }

    static let help = [
        "  event \"text\" 1 {\"key\":true}   sends an event; arguments are JSON, with spaces between them",
        "  \"some event\" @photo.jpg       a name with spaces; the bytes of a file, also @\"a file.jpg\"",
        "  ? event …  or  /ack event …   sends it and prints the answer",
        "  /connect  /disconnect         joins or leaves the namespace",
        "  /quit                         leaves; so does Control-C or Control-D in an empty line",
        "  Lines: < received, > sent, = an answer. Cursor keys: the line and those before it;",
        "  Control-A -E ends, -U -K -W cut, -Y pastes, -L clears the screen, -Z suspends.",
    ]
}
