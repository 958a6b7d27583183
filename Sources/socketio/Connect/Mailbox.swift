import SocketIOClient
import Synchronization
import UnixSignals

/// What a session is told, in the order in which it happens.
enum SessionMessage: Sendable {
    /// From standard input; empty at its end.
    case input([UInt8])
    case signal(UnixSignal)
    case occurrence(Occurrence)
    /// The first connection is not going to be.
    case connectFailed(String)
    /// The client is not going to try again.
    case gaveUp
    case timeout
    /// All was sent and the client has disconnected.
    case closed
}

/// Takes messages from everywhere. Events that come faster than they can be written are dropped, and counted.
final class Mailbox: Sendable {
    static let maxEvents = 100_000
    /// Of all that wait together; a single one may be larger.
    static let maxBytes = 64 << 20

    private struct Waiting: Sendable {
        var events = 0
        var bytes = 0
        var dropped = 0
    }

    let messages: AsyncStream<SessionMessage>
    private let continuation: AsyncStream<SessionMessage>.Continuation
    private let waiting = Mutex<Waiting>(Waiting())
    private let sent = Atomic<Int>(0)

    init() { (self.messages, self.continuation) = AsyncStream.makeStream() }

    /// Events that have left the client, as far as it was asked to count them.
    var sentCount: Int { self.sent.load(ordering: .relaxed) }

    func countSent() { self.sent.add(1, ordering: .relaxed) }

    func post(_ message: SessionMessage) { self.continuation.yield(message) }

    func post(_ kind: Occurrence.Kind) {
        var cost = 0
        if case .event(let name, let arguments) = kind {
            cost = arguments.reduce(name.utf8.count) { $0 + $1.cost }
            let isTaken = self.waiting.withLock { waiting in
                guard waiting.events < Self.maxEvents, waiting.events == 0 || cost <= Self.maxBytes - waiting.bytes
                else {
                    waiting.dropped += 1
                    return false
                }
                waiting.events += 1
                waiting.bytes += cost
                return true
            }
            guard isTaken else { return }
        }
        self.post(.occurrence(Occurrence(milliseconds: WallClock.milliseconds, kind: kind, cost: cost)))
    }

    /// Called for each event that was taken. Returns how many have been dropped since the last time.
    func took(_ event: Occurrence) -> Int {
        self.waiting.withLock { waiting in
            waiting.events -= 1
            waiting.bytes -= event.cost
            defer { waiting.dropped = 0 }
            return waiting.dropped
        }
    }
}

extension SocketIOValue {
    /// About the bytes that it takes in memory.
    fileprivate var cost: Int {
        let own = 64
        switch self {
        case .null, .bool, .int, .double: return own
        case .string(let text): return own + text.utf8.count
        case .binary(let bytes): return own + bytes.readableBytes
        case .array(let elements): return elements.reduce(own) { $0 + $1.cost }
        case .object(let members): return members.reduce(own) { $0 + $1.0.utf8.count + $1.1.cost }
        }
    }
}

extension Mailbox {
    /// Has everything that happens to a client posted. The client does not keep the mailbox from going.
    func listen(to client: SocketIOClient) {
        let namespace = client.namespace
        client.onAny { name, arguments in self.post(.event(name, arguments)) }
        client.onConnect { [weak client] in
            guard let client else { return }
            self.post(
                .connected(
                    id: client.id ?? "", transport: client.transport?.rawValue ?? "", isRecovered: client.recovered))
        }
        client.onUpgrade { self.post(.upgraded) }
        client.onDisconnect { disconnection in
            let reason = ConnectErrors.explain(disconnection, namespace: namespace)
            self.post(.disconnected(reason, willReconnect: disconnection.willReconnect))
            if !disconnection.willReconnect, disconnection.reason != .ioClientDisconnect { self.post(.gaveUp) }
        }
    }

    /// Has a signal posted that would end the program. They are held from when this returns.
    func listen(to signals: UnixSignal...) async -> Task<Void, Never> {
        let sequence = await UnixSignalsSequence(trapping: signals)
        return Task { for await signal in sequence { self.post(.signal(signal)) } }
    }
}
