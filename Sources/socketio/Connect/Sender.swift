import EngineIOCore
import NIOPosix
import SocketIOClient

/// Sends events in the order in which it is given them, with and without answers.
struct Sender: Sendable {
    private let client: SocketIOClient
    private let mailbox: Mailbox
    private let answerTimeout: Duration
    /// Tasks begin here one after the other; asking for an answer gives the event to the client before it waits.
    private let executor = LoopTaskExecutor(eventLoop: MultiThreadedEventLoopGroup.singleton.next())

    init(_ client: SocketIOClient, _ mailbox: Mailbox, answerTimeout: Duration) {
        self.client = client
        self.mailbox = mailbox
        self.answerTimeout = answerTimeout
    }

    /// The answer is posted, or that there is none.
    func send(_ name: String, _ values: [SocketIOValue], wantsAnswer: Bool) {
        let (client, mailbox, timeout) = (self.client, self.mailbox, self.answerTimeout)
        Task(executorPreference: self.executor) {
            guard wantsAnswer else { return client.emit(name, arguments: values) }
            do {
                let answer = try await client.emitWithAck(name, arguments: values, timeout: timeout)
                mailbox.post(.answer(to: name, answer))
            } catch {
                let reason = ConnectErrors.explain(error, namespace: client.namespace)
                mailbox.post(.unanswered("no answer to \(TranscriptPrinter.name(name)): \(reason)"))
            }
        }
    }

    /// Sends what it was given, and disconnects.
    func close() async {
        await Task(executorPreference: self.executor) {}.value
        await self.client.disconnect()
    }
}
