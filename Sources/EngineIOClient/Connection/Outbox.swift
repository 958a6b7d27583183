import EngineIOCore
import NIOCore

/// What waits to be sent, in order.
struct Outbox {
    private var packets = CircularBuffer<EngineIOPacket>()
    /// The data of all packets, and a byte for each.
    private(set) var bytes = 0

    var isEmpty: Bool { self.packets.isEmpty }

    mutating func append(_ packet: EngineIOPacket) {
        self.packets.append(packet)
        self.bytes += Self.cost(packet)
    }

    /// A pong behind another takes its place, so that a server that pings without end fills nothing. What it echoes is cut off
    /// behind 125 bytes, as in WebSocket; the protocol knows pings without data only.
    mutating func appendPong(_ data: ByteBuffer) {
        if case .pong? = self.packets.last, let last = self.packets.popLast() { self.bytes -= Self.cost(last) }
        self.append(.pong(data.getSlice(at: data.readerIndex, length: min(data.readableBytes, 125)) ?? ByteBuffer()))
    }

    mutating func removeAll() {
        self.packets = CircularBuffer()
        self.bytes = 0
    }

    /// The body of a POST: up to `maxPackets` packets, as many as `maxBytes` holds or a single one that is larger.
    ///
    /// - Returns: the body, and what it had counted in ``bytes``.
    mutating func takePayload(maxBytes: Int, maxPackets: Int) -> (body: ByteBuffer, cost: Int) {
        var body = ByteBuffer()
        var cost = 0
        var count = 0
        while let packet = self.packets.first, count < max(1, maxPackets) {
            let separator = body.readableBytes > 0 ? 1 : 0
            let length = packet.textLength + separator
            if body.readableBytes > 0, length > maxBytes - body.readableBytes { break }
            self.packets.removeFirst()
            count += 1
            body.reserveCapacity(minimumWritableBytes: length)
            if separator > 0 { body.writeInteger(PayloadDecoder.separator) }
            packet.appendText(to: &body)
            cost += Self.cost(packet)
        }
        self.bytes -= cost
        return (body, cost)
    }

    /// Masked frames: as many packets as make about `maxBytes`, at least one.
    mutating func takeFrames(maxBytes: Int, keys: inout MaskKeys) -> ByteBuffer {
        var frames = ByteBuffer()
        while let packet = self.packets.first {
            if frames.readableBytes > 0, packet.dataLength > maxBytes - frames.readableBytes { break }
            self.packets.removeFirst()
            self.bytes -= Self.cost(packet)
            packet.appendMaskedFrame(key: keys.next(), to: &frames)
        }
        return frames
    }

    private static func cost(_ packet: EngineIOPacket) -> Int { 1 + packet.dataLength }
}

/// Masks for frames: fresh bits of the system's random source for each.
struct MaskKeys {
    private var spare: UInt32?

    mutating func next() -> UInt32 {
        if let key = self.spare {
            self.spare = nil
            return key
        }
        var source = SystemRandomNumberGenerator()
        let bits: UInt64 = source.next()
        self.spare = UInt32(truncatingIfNeeded: bits >> 32)
        return UInt32(truncatingIfNeeded: bits)
    }
}
