import EngineIOCore
import NIOCore

/// What is different for a client of protocol 3: it pings, and its binary packets name their type.
extension EngineIOSession {
    /// Handles one binary frame of a WebSocket.
    func receiveVersion3(binary: ByteBuffer, isInside: Bool, on loop: LoopContext) -> PacketResult {
        do {
            let packet = try EngineIOPacket.decodeVersion3(binary: binary)
            return self.receive(packet, fromPolling: false, isInside: isInside, on: loop)
        } catch {
            self.parseError(error.message)
            return .ended
        }
    }

    /// Answers a client's ping; what it carries is not sent back.
    func receivePing() -> PacketResult {
        let now = NIODeadline.now().uptimeNanoseconds
        self.state.withLock { $0.heartbeat.pingReceived(now: now) }
        // One that still waits makes room: who pings without reading fills no memory.
        self.send(OutboundPacket(frames: Self.pong, key: Self.pongKey))
        return .goOn
    }

    /// A pong as a WebSocket frame; shared by all sessions.
    private static let pong = ByteBuffer(bytes: [0x81, 0x01, UInt8(ascii: "3")])
    private static let pongKey = "\u{0}pong"
}
