import EngineIOCore
import NIOCore

/// The rates of a session, and what waits because of them. Sessions have one only if a rate is set.
///
/// `@unchecked Sendable`: it is used inside the gate of the session alone, which lets one thing at a time happen to it.
final class InboundThrottle: @unchecked Sendable {
    var rates: InboundRates?
    /// Until when the application takes no further message, by a rate of its own, and which.
    var pause: (limit: EngineIOLimit, until: UInt64)?
    /// What waits, in order; the first has come when the waiting began.
    private var held: [InboundItem] = []
    private var first = 0
    private(set) var heldBytes = 0
    /// Why it waits.
    private(set) var limit: EngineIOLimit?
    /// Calls it off; set as long as something waits.
    var timer: Scheduled<Void>?
    /// Connections that are not read meanwhile, and POSTs that are not answered.
    private var waiters: [@Sendable () -> Void] = []
    /// The session is ended by a rate: nothing further is taken.
    var isRefusing = false
    /// Limits that the log has been told of: once for a session.
    var logged: Set<EngineIOLimit> = []

    init(rates: InboundRates?) { self.rates = rates }

    /// Whether something waits.
    var isHolding: Bool { self.limit != nil }

    var heldCount: Int { self.held.count - self.first }

    func begin(_ limit: EngineIOLimit) { self.limit = limit }

    func append(_ item: InboundItem) {
        self.held.append(item)
        self.heldBytes += item.byteCount
    }

    var next: InboundItem? { self.first < self.held.count ? self.held[self.first] : nil }

    func removeNext() {
        guard self.first < self.held.count else { return }
        self.heldBytes -= self.held[self.first].byteCount
        self.held[self.first] = .deadline
        self.first += 1
        if self.first > 64, self.first * 2 > self.held.count {
            self.held.removeFirst(self.first)
            self.first = 0
        }
    }

    /// Has `body` called when nothing waits any more, or the session has ended.
    func whenReleased(_ body: @escaping @Sendable () -> Void) { self.waiters.append(body) }

    /// Ends the waiting. Returns the messages that still waited, and whom to tell.
    func end() -> (messages: Int, waiters: [@Sendable () -> Void]) {
        defer {
            self.held = []
            self.first = 0
            self.heldBytes = 0
            self.limit = nil
            self.waiters = []
        }
        self.timer?.cancel()
        self.timer = nil
        let messages = self.held[self.first...].count { $0.isMessage }
        return (messages, self.waiters)
    }
}

extension InboundItem {
    var isMessage: Bool {
        switch self {
        case .text, .binary: true
        case .call, .deadline, .closed: false
        }
    }

    /// The bytes of a message.
    var messageBytes: Int {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes.readableBytes
        case .call, .deadline, .closed: 0
        }
    }
}

/// A handler that says which messages need not wait behind those that do: acknowledgements, which a handler may be waiting for.
package protocol OvertakingHandler: EngineIOSessionHandler {
    /// Called inside the gate.
    func mayOvertake(text: ByteBuffer) -> Bool
}
