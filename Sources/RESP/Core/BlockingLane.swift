import NIOCore

/// A command that blocks, until its reply is there.
///
/// `@unchecked Sendable`: confined to the event loop of the client.
final class BlockingCall: @unchecked Sendable {
    let command: RedisCommand
    var attempts = 0
    private var continuation: CheckedContinuation<RedisValue, any Error>?
    private(set) var isEnded = false

    init(_ command: RedisCommand) { self.command = command }

    func begin(_ continuation: CheckedContinuation<RedisValue, any Error>) {
        // It may have been cancelled before it began.
        if self.isEnded { return continuation.resume(throwing: CancellationError()) }
        self.continuation = continuation
    }

    func end(_ result: Result<RedisValue, any Error>) {
        self.isEnded = true
        let continuation = self.continuation
        self.continuation = nil
        continuation?.resume(with: result)
    }

    /// How long Redis may take for `XREAD … BLOCK milliseconds`; nil for ever, or it is not known.
    var blockTime: TimeAmount? {
        let names = self.command.arguments.map { String(buffer: $0).lowercased() }
        guard
            names.first == "xread" || names.first == "xreadgroup",
            let index = names.firstIndex(of: "block"), names.indices.contains(index + 1),
            let time = Int64(names[index + 1]), time > 0, time < 86_400_000
        else { return nil }
        return .milliseconds(time)
    }
}

/// The connection for commands that block, and those who wait for it.
///
/// `@unchecked Sendable`: confined to the event loop of the client.
final class BlockingLane: @unchecked Sendable {
    private let link: Link
    private var waiting: [BlockingCall] = []
    private var current: BlockingCall?

    init(_ link: Link) { self.link = link }

    func append(_ call: BlockingCall, _ core: ClientCore) {
        self.waiting.append(call)
        self.link.open()
        self.advance(core)
    }

    /// Sends the next command, if there is one and the connection is free.
    func advance(_ core: ClientCore) {
        guard self.current == nil, let connection = self.link.ready, let call = self.waiting.first else { return }
        self.waiting.removeFirst()
        self.current = call
        connection.replyTimeout = call.blockTime.map { $0 + core.options.configuration.commandTimeout.timeAmount }
        connection.send(call.command) { result in
            // Otherwise it was cancelled, or the connection is lost, which is told below.
            guard self.current === call, case .success(let value) = result else { return }
            self.current = nil
            core.answered(call, value, from: self.link.node)
            self.advance(core)
        }
    }

    func cancel(_ call: BlockingCall) {
        self.waiting.removeAll { $0 === call }
        call.end(.failure(CancellationError()))
        guard self.current === call else { return }
        self.current = nil
        if self.waiting.isEmpty { self.link.rest() }
        self.link.cut(RedisError(.connectionLost, "a command that blocks was given up"))
    }

    func connectionIsLost(_ error: RedisError) {
        let call = self.current
        self.current = nil
        if self.waiting.isEmpty { self.link.rest() }
        call?.end(.failure(error))
    }

    func close(_ error: RedisError) {
        let calls = self.waiting
        self.waiting = []
        self.link.close(error)
        self.connectionIsLost(error)
        for call in calls { call.end(.failure(error)) }
    }
}
