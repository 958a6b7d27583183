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
        for known in loop.version3 where known.usesBase64 == self.usesBase64 && Self.isSame(known.source, frames) {
            return known.frames
        }
        guard let converted = Version3Encoder.frames(frames, usesBase64: self.usesBase64) else { return frames }
        if loop.version3.count >= Self.remembered { loop.version3.removeFirst() }
        loop.version3.append(Converted(source: frames, usesBase64: self.usesBase64, frames: converted))
        return converted
    }

    /// How many conversions of a drain are remembered.
    private static let remembered = 16

    /// What was converted in a drain. It holds its source, whose place in memory is nobody else's until then.
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
