import NIOCore
import SocketIOCore
import Synchronization

/// Collects the acknowledgements of one broadcast: from how many sockets of how many servers, and what they said.
///
/// It is complete when every server has told how many of its sockets were asked, and all of those have answered.
public final class AckCollector: Sendable {
    private struct State {
        var servers: Int?
        var serversHeard = 0
        var serverNames: Set<String> = []
        /// Those that have told their number: it may come before the names of all are known.
        var heardNames: Set<String> = []
        /// Those whose number has come: it counts once.
        var countedNames: Set<String> = []
        var expected = 0
        var missing: Set<String> = []
        /// Sockets of this server that are gone and will not answer.
        var lost = 0
        var cleanups: [@Sendable () -> Void] = []
        var answers: [AckAnswer] = []
        var isDone = false
        var continuation: CheckedContinuation<Void, Never>?
    }

    /// So that nobody can fill the memory with answers.
    private static var answerLimit: Int { 1_000_000 }

    private let state = Mutex(State())
    private let onAnswer: (@Sendable (SocketIOValue?) -> Void)?

    /// `onAnswer` is told of each answer as it comes: its first argument, nil if it has none.
    package init(onAnswer: (@Sendable (SocketIOValue?) -> Void)? = nil) {
        self.onAnswer = onAnswer
    }

    /// How many servers there are, this one included. `others`: the ids of the other ones, if the adapter knows them.
    public func expectServers(_ count: Int, others: some Sequence<String> = []) {
        self.update { state in
            state.servers = count
            state.serverNames = Set(others).subtracting(state.heardNames)
        }
    }

    /// A server has asked these sockets.
    public func expectAnswers(from ids: [String]) {
        self.update { state in
            state.serversHeard += 1
            state.expected += ids.count
            state.missing.formUnion(ids)
        }
    }

    /// Another server has asked this many sockets. `server`: its id, if it has said it.
    public func expectAnswers(count: Int, server: String? = nil) {
        self.update { state in
            if let server, !state.countedNames.insert(server).inserted { return }
            state.serversHeard += 1
            // What came over a network may be any number.
            state.expected = state.expected.addingReportingOverflow(max(0, min(count, 1 << 32))).partialValue
            if let server {
                state.serverNames.remove(server)
                state.heardNames.insert(server)
            }
        }
    }

    /// A server is known to have told how many sockets it has asked, in a message that did not say whose it was.
    package func heard(from server: String) {
        self.update { state in
            state.serverNames.remove(server)
            state.heardNames.insert(server)
        }
    }

    /// A socket of another server has answered with this first argument.
    public func receive(_ value: SocketIOValue?) {
        self.receive(AckAnswer(id: nil, reader: nil, value: value ?? .null))
    }

    func receive(_ answer: AckAnswer) {
        self.update { state in
            guard !state.isDone else { return }
            if let id = answer.id { state.missing.remove(id) }
            guard state.answers.count < Self.answerLimit else { return }
            state.answers.append(answer)
        }
        self.onAnswer?(answer.firstArgument)
    }

    /// A socket of this server will not answer: it is gone.
    func giveUp(_ id: String) {
        self.update { $0.lost += 1 }
    }

    /// Has `cleanup` called when nothing is waited for any more.
    package func onFinish(_ cleanup: @escaping @Sendable () -> Void) {
        let isDone = self.state.withLock { state in
            if !state.isDone { state.cleanups.append(cleanup) }
            return state.isDone
        }
        if isDone { cleanup() }
    }

    private func update(_ body: (inout State) -> Void) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            body(&state)
            guard !state.isDone, let servers = state.servers, state.serversHeard >= servers,
                state.answers.count + state.lost >= state.expected
            else { return nil }
            state.isDone = true
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }

    /// Stops collecting: time is up, or the caller is gone.
    package func finish() {
        let (continuation, cleanups) = self.state.withLock { state in
            state.isDone = true
            defer {
                state.continuation = nil
                state.cleanups = []
            }
            return (state.continuation, state.cleanups)
        }
        for cleanup in cleanups { cleanup() }
        continuation?.resume()
    }

    /// Waits until complete or finished. To be called once.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = self.state.withLock { state in
                    if !state.isDone { state.continuation = continuation }
                    return state.isDone
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            self.finish()
        }
    }

    /// How many sockets were asked, as far as it is known.
    var expected: Int { self.state.withLock { $0.expected } }

    /// What has come, and the ids of this server's sockets that have not answered. `unheard` counts the other ones.
    var result: Result {
        self.state.withLock { state in
            let unheard = state.expected - state.answers.count - state.missing.count
            let isHeard = state.servers.map { state.serversHeard >= $0 } ?? false
            return Result(
                answers: state.answers,
                missing: state.missing.sorted(),
                unheard: max(0, unheard),
                isHeard: isHeard,
                missingServers: isHeard ? [] : state.serverNames.sorted()
            )
        }
    }

    struct Result {
        let answers: [AckAnswer]
        let missing: [String]
        let unheard: Int
        /// Whether every server has told how many sockets it has asked.
        let isHeard: Bool
        let missingServers: [String]
    }
}

extension AckCollector {
    /// Waits for what several broadcasts are answered, all together no longer than `timeout`.
    ///
    /// - Throws: ``BroadcastAckError`` if not all have answered, `CancellationError`.
    package static func collect(_ collectors: [AckCollector], timeout: Duration) async throws -> [AckAnswer] {
        let timer = Task {
            try await Task.sleep(for: timeout)
            for collector in collectors { collector.finish() }
        }
        var answers: [AckAnswer] = []
        var missing: [String] = []
        var elsewhere = 0
        var servers: [String] = []
        var isHeard = true
        for collector in collectors {
            await collector.wait()
            collector.finish()
            let result = collector.result
            answers += result.answers
            missing += result.missing
            elsewhere += result.unheard
            servers += result.missingServers
            isHeard = isHeard && result.isHeard
        }
        timer.cancel()
        try Task.checkCancellation()
        guard missing.isEmpty, elsewhere == 0, isHeard else {
            throw BroadcastAckError(
                answers: answers.map(\.asValue), missing: missing, missingElsewhere: elsewhere, missingServers: servers)
        }
        return answers
    }
}

/// One answer to a broadcast.
package struct AckAnswer: Sendable {
    /// The socket, where it is one of this server's.
    let id: String?
    let reader: ArgumentReader?
    let value: SocketIOValue

    package func decode<R: Decodable>(_ type: R.Type) throws -> R {
        if var reader = self.reader { return try reader.next(type) }
        return try self.value.decode(type)
    }

    var asValue: SocketIOValue { self.firstArgument ?? .null }

    /// Nil if there is none: in JavaScript that is `undefined`, and not null.
    var firstArgument: SocketIOValue? {
        guard var reader = self.reader else { return self.value }
        if reader.isAtEnd { return nil }
        return (try? reader.nextValue()) ?? .null
    }
}

/// Not every socket has answered a broadcast in time.
public struct BroadcastAckError: Error, Sendable, CustomStringConvertible {
    /// The first argument of each answer that came.
    public let answers: [SocketIOValue]
    /// The ids of the sockets that have not answered, as far as they are known: those of this server.
    public let missing: [String]
    /// How many more have not answered, on other servers.
    public let missingElsewhere: Int
    /// The ids of servers that have not even told how many of their sockets were asked, as far as they are known.
    public let missingServers: [String]

    public init(
        answers: [SocketIOValue], missing: [String], missingElsewhere: Int, missingServers: [String] = []
    ) {
        self.answers = answers
        self.missing = missing
        self.missingElsewhere = missingElsewhere
        self.missingServers = missingServers
    }

    public var description: String {
        let count = self.missing.count + self.missingElsewhere
        let servers =
            self.missingServers.isEmpty ? "" : ", no word from servers \(self.missingServers.joined(separator: ", "))"
        return "operation has timed out: \(self.answers.count) answers, \(count) missing\(servers)"
    }
}
