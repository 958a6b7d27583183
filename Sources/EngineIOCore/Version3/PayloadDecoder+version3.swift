import NIOCore

/// Iterates over the packets of a polling payload of protocol 3, text or binary.
///
/// One pass over the bytes. The packets before a bad one count: they were returned before ``next()`` throws. After an error there
/// are no more. A length is read as at most ten decimal digits, and nothing is reserved for what it says.
package struct Version3PayloadDecoder: Sendable {
    private var rest: ByteBuffer
    private let isBinary: Bool
    private var packetsLeft: Int
    private var isFinished = false

    /// Digits of a length: more than any payload needs.
    private static let maxDigits = 10

    /// - Parameters:
    ///   - body: the whole body. An empty one is a bad packet, unless it is binary: then it has none.
    ///   - isBinary: whether the client has sent it as `application/octet-stream`.
    ///   - maxPackets: the most packets accepted, empty ones included.
    package init(_ body: consuming ByteBuffer, isBinary: Bool, maxPackets: Int = 10_000) {
        self.rest = body
        self.isBinary = isBinary
        self.packetsLeft = max(0, maxPackets)
        if isBinary, self.rest.readableBytes == 0 { self.isFinished = true }
    }

    /// The next packet, nil behind the last one.
    package mutating func next() throws(EngineIOPacketError) -> EngineIOPacket? {
        do throws(EngineIOPacketError) {
            while !self.isFinished {
                guard self.packetsLeft > 0 else { throw .tooManyPackets }
                self.packetsLeft -= 1
                let packet = self.isBinary ? try self.nextOfBinary() : try self.nextOfText()
                if self.rest.readableBytes == 0 { self.isFinished = true }
                if let packet { return packet }
            }
            return nil
        } catch {
            self.isFinished = true
            self.rest = ByteBuffer()
            throw error
        }
    }

    /// `<length>:<packet>`, the length in UTF-16 code units; nil for one of length 0, which is none.
    private mutating func nextOfText() throws(EngineIOPacketError) -> EngineIOPacket? {
        guard self.rest.readableBytes > 0 else { throw .empty }
        let units = try self.length(endingWith: UInt8(ascii: ":"), zero: UInt8(ascii: "0"))
        guard units > 0 else { return nil }
        guard let count = UTF16Length.bytes(in: self.rest, units: units), let text = self.rest.readSlice(length: count)
        else { throw .invalidLength }
        guard UTF8Validation.isValid(text) else { throw .invalidUTF8 }
        return try EngineIOPacket.decodeVersion3(text: text)
    }

    /// A marker, the length in bytes, 255, the packet. The last one may be shorter than it says, as with the reference.
    private mutating func nextOfBinary() throws(EngineIOPacketError) -> EngineIOPacket? {
        let marker = self.rest.readInteger(as: UInt8.self)
        let length = try self.length(endingWith: 255, zero: 0)
        let content = self.rest.readSlice(length: min(length, self.rest.readableBytes)) ?? ByteBuffer()
        guard marker == 0 else { return try EngineIOPacket.decodeVersion3(binary: content) }
        guard UTF8Validation.isValid(content) else { throw .invalidUTF8 }
        return try EngineIOPacket.decodeVersion3(text: content)
    }

    private mutating func length(endingWith end: UInt8, zero: UInt8) throws(EngineIOPacketError) -> Int {
        var value = 0
        for digits in 0...Self.maxDigits {
            guard let byte = self.rest.readInteger(as: UInt8.self) else { break }
            if byte == end, digits > 0 { return value }
            let digit = byte &- zero
            guard digit < 10 else { break }
            // Ten digits at most: far from the largest integer.
            value = value &* 10 &+ Int(digit)
        }
        throw .invalidLength
    }
}
