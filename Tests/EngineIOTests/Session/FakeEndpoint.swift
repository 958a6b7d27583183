import NIOCore
import NIOPosix
import TestSupport

@testable import EngineIO

/// An end of a connection that there is not.
final class FakeEndpoint: SessionEndpoint, @unchecked Sendable {
    convenience init() {
        self.init(loop: LoopContext(eventLoop: PeerLoops.group.next()))
    }
}

extension SessionState {
    /// A session at time 0 with round figures: pings after 1000 ns, answered within 500, closing within 300, upgrades within
    /// 200, at most 100 bytes.
    static func polling() -> SessionState {
        let limits = SessionLimits(
            pingInterval: 1000, pingTimeout: 500, upgradeTimeout: 200, closeTimeout: 300, maxOutboxBytes: 1000,
            maxTotalOutboxBytes: 4000, maxInboundQueueBytes: 100)
        return SessionState(limits: limits, transport: .polling, now: 0)
    }

    static func webSocket(_ endpoint: SessionEndpoint) -> SessionState {
        var state = Self.polling()
        state.attach(endpoint)
        _ = state.beginDrain()
        return state
    }

    /// Appends a packet and says what became of it.
    @discardableResult
    mutating func add(_ text: String, isVolatile: Bool = false) -> String {
        switch self.append(OutboundPacket(frames: ByteBuffer(string: text)), isVolatile: isVolatile) {
        case .queued(wake: nil): "queued"
        case .queued(wake: .some): "wake"
        case .dropped: "dropped"
        case .refused: "refused"
        case .overflow: "overflow"
        case .totalOverflow: "total overflow"
        }
    }

    /// What a GET at `endpoint` is answered with, nil if it goes on waiting.
    mutating func poll(_ endpoint: SessionEndpoint, maxBytes: Int = 1000) -> [String]? {
        var frames: [ByteBuffer] = []
        var completions: [@Sendable (Bool) -> Void] = []
        guard self.takePoll(for: endpoint, maxBytes: maxBytes, into: &frames, completions: &completions) else {
            return nil
        }
        return frames.map { String(buffer: $0) }
    }

    mutating func write(_ endpoint: SessionEndpoint, maxBytes: Int = 1000) -> (frames: [String], hasMore: Bool) {
        var frames: [ByteBuffer] = []
        var completions: [@Sendable (Bool) -> Void] = []
        let rest = self.takeFrames(for: endpoint, maxBytes: maxBytes, into: &frames, completions: &completions)
        return (frames.map { String(buffer: $0) }, rest == .more)
    }
}
