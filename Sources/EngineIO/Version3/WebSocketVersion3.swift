import EngineIOCore
import NIOCore

/// What is written to a WebSocket of protocol 3. Only binary frames are others than those that wait in the outbox: text, and so
/// most packets, leaves as it is.
struct WebSocketVersion3 {
    /// Whether the client can't read binary frames.
    let usesBase64: Bool

    /// nil for a WebSocket of protocol 4.
    init?(_ session: EngineIOSession, usesBase64: Bool) {
        guard session.isVersion3 else { return nil }
        self.usesBase64 = usesBase64
    }

    func convert(_ frames: inout [ByteBuffer], on loop: LoopContext) {
        for index in frames.indices { frames[index] = self.converted(frames[index], on: loop) }
    }

    /// The frames of a broadcast are converted once for all clients of the loop that get them in the same drain.
    func converted(_ frames: ByteBuffer, on loop: LoopContext) -> ByteBuffer {
        if let last = loop.version3, last.usesBase64 == self.usesBase64, Self.isSame(last.source, frames) {
            return last.frames
        }
        guard let converted = Version3Encoder.frames(frames, usesBase64: self.usesBase64) else { return frames }
        loop.version3 = Converted(source: frames, usesBase64: self.usesBase64, frames: converted)
        return converted
    }

    /// What was converted last in a drain. It holds its source, whose place in memory is nobody else's until then.
    struct Converted {
        let source: ByteBuffer
        let usesBase64: Bool
        let frames: ByteBuffer
    }

    private static func isSame(_ one: ByteBuffer, _ other: ByteBuffer) -> Bool {
        one.withUnsafeReadableBytes { one in
            other.withUnsafeReadableBytes { $0.baseAddress == one.baseAddress && $0.count == one.count }
        }
    }
}
