import SocketIOClient

/// For scripts: sends events, waits for what is wanted, and ends.
struct SingleShot {
    struct Emission {
        var name: String
        var values: [SocketIOValue]
        var wantsAnswer: Bool
    }

    var emissions: [Emission]
    /// One event of one of these names is waited for, if there are any.
    var awaited: Set<String>
    /// For all of it.
    var timeout: Duration?

    /// - Throws: ``CommandFailure`` with what has not worked.
    func run(_ client: SocketIOClient, _ mailbox: Mailbox, _ sender: Sender, _ console: Console) async throws {
        let signals = await mailbox.listen(to: .sigint, .sigterm, .sighup)
        let timer = self.timeout.map { timeout in
            Task {
                try await Task.sleep(for: timeout)
                mailbox.post(.timeout)
            }
        }
        let namespace = client.namespace
        let first = Task {
            do { try await client.connect() } catch is CancellationError {} catch {
                mailbox.post(.connectFailed(ConnectErrors.explain(error, namespace: namespace)))
            }
        }
        let failure = await self.wait(mailbox, sender, console)
        timer?.cancel()
        first.cancel()
        if failure != nil { await client.disconnect() }
        signals.cancel()
        if let failure { throw CommandFailure("socketio: \(failure)") }
    }

    /// Disconnects when all is done; returns why it has not worked.
    private func wait(_ mailbox: Mailbox, _ sender: Sender, _ console: Console) async -> String? {
        var isConnected = false
        var isAwaiting = !self.awaited.isEmpty
        var answers = self.emissions.count { $0.wantsAnswer }
        var isDone = false
        for await message in mailbox.messages {
            switch message {
            case .signal: return "interrupted"
            case .timeout: if !isDone { return self.timeoutReason(isConnected: isConnected, isAwaiting: isAwaiting) }
            case .connectFailed(let reason): return reason
            case .closed: return nil
            case .gaveUp, .input: break
            case .occurrence(let occurrence):
                switch occurrence.kind {
                case .connected:
                    isConnected = true
                    for event in self.emissions {
                        sender.send(event.name, event.values, wantsAnswer: event.wantsAnswer)
                    }
                case .event(let name, _):
                    _ = mailbox.took(occurrence)
                    guard isAwaiting, self.awaited.contains(name) else { continue }
                    isAwaiting = false
                    console.show(occurrence)
                case .answer:
                    answers -= 1
                    console.show(occurrence)
                case .failure(let reason), .unanswered(let reason): return reason
                case .disconnected(let reason, _): if !isDone { return "disconnected: \(reason)" }
                default: break
                }
            }
            if isConnected, !isAwaiting, answers == 0, !isDone {
                isDone = true
                // What could not be sent is told before this is over.
                await sender.close()
                mailbox.post(.closed)
            }
        }
        return nil
    }

    private func timeoutReason(isConnected: Bool, isAwaiting: Bool) -> String {
        let time = self.timeout.map { "within \($0)" } ?? "in time"
        if !isConnected { return "not connected \(time)" }
        if !isAwaiting { return "no answer \(time)" }
        let names = self.awaited.sorted().map { TranscriptPrinter.name($0) }.joined(separator: " or ")
        return "no event \(names) \(time)"
    }
}
