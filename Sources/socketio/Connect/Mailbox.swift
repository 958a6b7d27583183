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

    let messages: AsyncStream<SessionMessage>
    private let continuation: AsyncStream<SessionMessage>.Continuation
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)

    init() { (self.messages, self.continuation) = AsyncStream.makeStream() }

    func post(_ message: SessionMessage) { self.continuation.yield(message) }

    func post(_ kind: Occurrence.Kind) {
        if case .event = kind {
            guard self.waiting.load(ordering: .relaxed) < Self.maxEvents else {
                self.dropped.add(1, ordering: .relaxed)
                return
            }
            self.waiting.add(1, ordering: .relaxed)
        }
        self.post(.occurrence(Occurrence(milliseconds: WallClock.milliseconds, kind: kind)))
    }

    /// Called for each event that was taken. Returns how many have been dropped since the last time.
    func took() -> Int {
        self.waiting.subtract(1, ordering: .relaxed)
        return self.dropped.exchange(0, ordering: .relaxed)
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
