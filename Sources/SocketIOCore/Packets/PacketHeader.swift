import NIOCore

/// What stands in front of a packet's JSON: type, number of attachments, namespace and id.
///
/// The reference reads the numbers with JavaScript's `Number`, which takes white space for zero; so does this.
struct PacketHeader {
    var type: PacketType
    /// The number of attachments of a binary packet, else `nil`.
    var attachments: Int?
    var namespace = "/"
    var id: Int?
    /// Where the payload begins.
    var end: Int

    init(_ bytes: UnsafeRawBufferPointer, limits: PacketLimits) throws(SocketIOError) {
        guard let first = bytes.first else { throw SocketIOError(.invalidPacket, "Unknown type: undefined") }
        self.type = try Self.type(first)
        self.end = 1
        if self.type == .binaryEvent || self.type == .binaryAck {
            try self.readAttachments(bytes, limits)
        }
        if self.end < bytes.count, bytes[self.end] == UInt8(ascii: "/") {
            try self.readNamespace(bytes, limits)
        }
        try self.readID(bytes)
    }

    private static func type(_ byte: UInt8) throws(SocketIOError) -> PacketType {
        if let type = PacketType(rawValue: byte &- Byte.zero) { return type }
        if Self.isSpace(byte) { return .connect }
        let name = Byte.isDigit(byte) ? String(byte &- Byte.zero) : "NaN"
        throw SocketIOError(.invalidPacket, "unknown packet type \(name)")
    }

    private mutating func readAttachments(
        _ bytes: UnsafeRawBufferPointer,
        _ limits: PacketLimits
    ) throws(SocketIOError) {
        let start = self.end
        while self.end < bytes.count, bytes[self.end] != Byte.minus { self.end &+= 1 }
        guard self.end < bytes.count, let count = Self.number(bytes, start..<self.end), count >= 0 else {
            throw SocketIOError(.illegalAttachments, "Illegal attachments")
        }
        guard count <= limits.maxAttachments else {
            throw SocketIOError(.tooManyAttachments, "too many attachments")
        }
        self.attachments = count
        self.end &+= 1
    }

    private mutating func readNamespace(
        _ bytes: UnsafeRawBufferPointer,
        _ limits: PacketLimits
    ) throws(SocketIOError) {
        let start = self.end
        while self.end < bytes.count, bytes[self.end] != Byte.comma {
            self.end &+= 1
            if self.end &- start > limits.maxNamespaceLength {
                throw SocketIOError(.limitExceeded, "the namespace is longer than \(limits.maxNamespaceLength) bytes")
            }
        }
        if self.end &- start > 1 {
            self.namespace = JSONString.decode(bytes, start..<self.end, isEscaped: false)
        }
        if self.end < bytes.count { self.end &+= 1 }
    }

    private mutating func readID(_ bytes: UnsafeRawBufferPointer) throws(SocketIOError) {
        let start = self.end
        var hasSpace = false
        while self.end < bytes.count {
            let byte = bytes[self.end]
            if !Byte.isDigit(byte) {
                guard Self.isSpace(byte) else { break }
                hasSpace = true
            }
            self.end &+= 1
        }
        guard self.end > start else { return }
        guard let id = hasSpace ? Self.number(bytes, start..<self.end) : Self.digits(bytes, start..<self.end) else {
            throw SocketIOError(.invalidPacket, "invalid acknowledgement id")
        }
        self.id = id
    }

    // MARK: Numbers

    @inline(__always)
    private static func digits(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var value = 0
        for index in range {
            guard Byte.isDigit(bytes[index]) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(bytes[index] &- Byte.zero))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// The integer that JavaScript's `Number` makes of a text: nothing is zero, white space around it is ignored,
    /// exponents and hexadecimal digits are understood.
    private static func number(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        if let value = Self.digits(bytes, range) { return value }
        // Nobody writes such numbers on purpose: what is long is not worth a closer look.
        guard range.count <= 24 else { return nil }
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, Self.isSpace(bytes[start]) { start &+= 1 }
        while end > start, Self.isSpace(bytes[end &- 1]) { end &-= 1 }
        guard start < end else { return 0 }
        if end &- start > 2, bytes[start] == Byte.zero, bytes[start &+ 1] | 0x20 == UInt8(ascii: "x") {
            let text = String(decoding: bytes[start &+ 2..<end], as: UTF8.self)
            return text.utf8.contains(Byte.plus) ? nil : Int(text, radix: 16)
        }
        return Byte.isDigit(bytes[start]) ? JSONNumber.integer(bytes, start..<end) : nil
    }

    /// White space of JavaScript, as far as it is ASCII.
    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
}
