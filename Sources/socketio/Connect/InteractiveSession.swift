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
    /// Without a terminal: /quit was read, and answers are awaited. Nothing is read any more.
    private var isLeaving = false
    /// Answers that are awaited, and those that have failed to come since it was left.
    private var unanswered = (awaited: 0, failed: 0)
    /// Events that the client was given.
    private var emitted = 0
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
        } else {
            client.onAnyOutgoing { _, _ in mailbox.countSent() }
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
        if self.console.isInteractive { self.readInput() }

        var failure = await self.takeMessages()
        await self.sender.close()
        failure = failure ?? self.whatIsLost
        guard let failure else { return }
        if failure == self.shownFailure { throw ExitCode.failure }
        throw CommandFailure("socketio: \(failure)")
    }

    private func readInput() {
        let mailbox = self.mailbox
        StandardStreams.readInput { mailbox.post(.input($0)) }
    }

    /// Of a script's events, which nobody sees at a prompt. To be asked when the client is closed.
    private var whatIsLost: String? {
        guard !self.console.isInteractive, !self.console.isBroken else { return nil }
        func events(_ count: Int) -> String { count == 1 ? "1 event" : "\(count) events" }
        let unsent = self.emissions.count + self.emitted - self.mailbox.sentCount
        if unsent > 0 { return "left with \(events(unsent)) not sent" }
        let unanswered = self.unanswered.awaited + self.unanswered.failed
        return unanswered > 0 ? "left with \(events(unanswered)) not answered" : nil
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
        case .occurrence(let occurrence):
            self.take(occurrence)
            if self.isLeaving, self.unanswered.awaited == 0 { return .leave }
        case .input(let bytes):
            guard !self.isLeaving else { break }
            for input in self.console.read(bytes) {
                switch input {
                case .line(let line):
                    guard self.take(line) else { continue }
                    self.isLeaving = !self.console.isInteractive && self.unanswered.awaited > 0
                    return self.isLeaving ? .goOn : .leave
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
            let dropped = self.mailbox.took(occurrence)
            if dropped > 0 { self.note("\(dropped) events dropped: they come faster than they can be written") }
        case .notConnected(let reason): self.shownFailure = reason
        case .answer: self.unanswered.awaited -= 1
        case .unanswered:
            self.unanswered.awaited -= 1
            if self.isLeaving { self.unanswered.failed += 1 }
        case .connected:
            guard !self.hasConnected else { return }
            self.hasConnected = true
            if self.console.isInteractive { self.note("type: event \"text\" {\"key\":1} …; /help says more") }
            for event in self.emissions { self.send(event.name, event.values, wantsAnswer: event.wantsAnswer) }
            self.emissions = []
            // Not before: what was read could be lost with a connection that never comes.
            if !self.console.isInteractive { self.readInput() }
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
            self.send(event.name, values, wantsAnswer: event.wantsAnswer || self.wantsAnswers)
        } catch {
            self.mailbox.post(.failure(ConnectErrors.explain(error, namespace: "")))
        }
    }

    private func send(_ name: String, _ values: [SocketIOValue], wantsAnswer: Bool) {
        self.emitted += 1
        if wantsAnswer { self.unanswered.awaited += 1 }
        self.sender.send(name, values, wantsAnswer: wantsAnswer)
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
