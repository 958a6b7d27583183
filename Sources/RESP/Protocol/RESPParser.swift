import NIOCore

/// Reads RESP2 and RESP3 from bytes in any division.
///
/// What is begun is kept and never looked at again from its start: an unfinished line and an unfinished bulk string
/// grow in buffers of their own, finished elements wait in their aggregates. Memory grows with what arrives, not with
/// what is announced.
struct RESPParser {
    struct Limits {
        /// How deep aggregates may lie in each other.
        var depth = 64
        /// Of one bulk string, in bytes; Redis' own bound.
        var bulkLength = 512 << 20
        /// Of all bulk strings and lines of one reply together, in bytes.
        var replyLength = 1 << 30
        /// Of all aggregates of one reply together.
        var elements = 1 << 24
        /// Of a line with text. Lines with a length or a number are bounded by what a number can have.
        var lineLength = 64 << 10
    }

    enum Output: Equatable {
        /// The answer to the oldest unanswered command.
        case reply(RedisValue)
        /// What Redis says of its own accord (RESP3).
        case push([RedisValue])
    }

    private enum Kind { case array, set, map, push, attribute }

    private struct Aggregate {
        let kind: Kind
        let count: Int
        var elements: [RedisValue]
    }

    private struct Bulk {
        let type: UInt8
        let length: Int
        var bytes = ByteBuffer()
    }

    private let limits: Limits
    private var line = ByteBuffer()
    private var bulk: Bulk?
    private var open: [Aggregate] = []
    private var elementCount = 0
    private var byteCount = 0
    /// Bytes that were searched or copied, for tests of what this costs.
    private(set) var workDone = 0

    init(limits: Limits = Limits()) { self.limits = limits }

    /// Takes the next reply or push off the bytes. Nil: all of them were taken, and more are needed.
    ///
    /// - Throws: `protocolViolation`; the parser is of no use then.
    mutating func next(from input: inout ByteBuffer) throws(RedisError) -> Output? {
        while true {
            let value: RedisValue?
            if self.bulk != nil {
                guard let string = try self.continueBulk(from: &input) else { return nil }
                value = string
            } else {
                guard let line = try self.takeLine(from: &input) else { return nil }
                value = try self.begin(line)
            }
            if let value, let output = self.finish(value) { return output }
        }
    }

    // MARK: Lines

    private mutating func takeLine(from input: inout ByteBuffer) throws(RedisError) -> ByteBuffer? {
        let available = input.readableBytes
        guard available > 0 else { return nil }
        let found = input.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map { $0 - input.readerIndex }
        let length = found.map { $0 + 1 } ?? available
        self.workDone &+= length
        guard length <= self.limits.lineLength - self.line.readableBytes else {
            throw Self.violation("a line is too long")
        }
        guard var part = input.readSlice(length: length) else { return nil }
        if self.line.readableBytes > 0 || found == nil {
            self.workDone &+= length
            self.line.writeBuffer(&part)
            guard found != nil else {
                // It may end with the CR already.
                try Self.checkLength(of: self.line, limit: Self.numberLength + 1)
                return nil
            }
            swap(&part, &self.line)
            self.line = ByteBuffer()
        }
        let end = part.writerIndex - 2
        guard end >= part.readerIndex, part.getInteger(at: end, as: UInt8.self) == UInt8(ascii: "\r") else {
            throw Self.violation("a line does not end with CR LF")
        }
        part.moveWriterIndex(to: end)
        try Self.checkLength(of: part, limit: Self.numberLength)
        try self.count(bytes: length)
        return part
    }

    private static let numberLength = 64

    /// A number has no more than a few digits: what is longer is refused before its end is there.
    private static func checkLength(of line: ByteBuffer, limit: Int) throws(RedisError) {
        guard line.readableBytes > limit else { return }
        switch line.getInteger(at: line.readerIndex, as: UInt8.self) {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "("): return
        default: throw Self.violation("a line is too long")
        }
    }

    /// Returns the value of a line that is one; nil when a bulk string or an aggregate begins with it.
    private mutating func begin(_ line: ByteBuffer) throws(RedisError) -> RedisValue? {
        var rest = line
        guard let type = rest.readInteger(as: UInt8.self) else { throw Self.violation("an empty line") }
        switch type {
        case UInt8(ascii: "+"): return .string(rest)
        case UInt8(ascii: "-"): return .error(String(buffer: rest))
        case UInt8(ascii: ":"): return .integer(try Self.integer(rest))
        case UInt8(ascii: "$"), UInt8(ascii: "!"), UInt8(ascii: "="): return try self.beginBulk(type, rest)
        case UInt8(ascii: "*"): return try self.beginAggregate(.array, rest)
        case UInt8(ascii: "~"): return try self.beginAggregate(.set, rest)
        case UInt8(ascii: "%"): return try self.beginAggregate(.map, rest)
        case UInt8(ascii: ">"): return try self.beginAggregate(.push, rest)
        case UInt8(ascii: "|"): return try self.beginAggregate(.attribute, rest)
        case UInt8(ascii: "_") where rest.readableBytes == 0: return .null
        case UInt8(ascii: "#"): return .bool(try Self.bool(rest))
        case UInt8(ascii: ","): return .double(try Self.double(rest))
        case UInt8(ascii: "("): return .string(try Self.bigNumber(rest))
        default: throw Self.violation("a line begins with byte \(type)")
        }
    }

    // MARK: Bulk strings

    private mutating func beginBulk(_ type: UInt8, _ rest: ByteBuffer) throws(RedisError) -> RedisValue? {
        let length = try Self.integer(rest)
        if length == -1, type == UInt8(ascii: "$") { return .null }
        guard length >= 0, length <= self.limits.bulkLength else {
            throw Self.violation("a bulk string of \(length) bytes")
        }
        try self.count(bytes: Int(length))
        self.bulk = Bulk(type: type, length: Int(length))
        return nil
    }

    private mutating func continueBulk(from input: inout ByteBuffer) throws(RedisError) -> RedisValue? {
        guard let bulk = self.bulk else { return nil }
        let (type, length) = (bulk.type, bulk.length)
        var bytes: ByteBuffer
        if bulk.bytes.readableBytes == 0, let whole = input.readSlice(length: length + 2) {
            bytes = whole
        } else {
            let missing = length + 2 - bulk.bytes.readableBytes
            guard var part = input.readSlice(length: min(missing, input.readableBytes)) else { return nil }
            self.workDone &+= part.readableBytes
            self.append(&part)
            guard let collected = self.bulk?.bytes, collected.readableBytes == length + 2 else { return nil }
            bytes = collected
        }
        self.bulk = nil
        guard bytes.getInteger(at: bytes.writerIndex - 2, as: UInt16.self) == 0x0D0A else {
            throw Self.violation("a bulk string does not end with CR LF")
        }
        bytes.moveWriterIndex(to: bytes.writerIndex - 2)
        switch type {
        case UInt8(ascii: "!"): return .error(String(buffer: bytes))
        case UInt8(ascii: "="):
            // A format of three characters and a colon comes first.
            guard bytes.getInteger(at: bytes.readerIndex + 3, as: UInt8.self) == UInt8(ascii: ":") else {
                throw Self.violation("a verbatim string without a format")
            }
            bytes.moveReaderIndex(forwardBy: 4)
            return .string(bytes)
        default: return .string(bytes)
        }
    }

    /// In a function of its own, where nothing else refers to the buffer, so that it grows in its place.
    private mutating func append(_ part: inout ByteBuffer) { self.bulk?.bytes.writeBuffer(&part) }

    // MARK: Aggregates

    private mutating func beginAggregate(_ kind: Kind, _ rest: ByteBuffer) throws(RedisError) -> RedisValue? {
        let announced = try Self.integer(rest)
        if announced == -1, kind == .array { return .null }
        guard announced >= 0, announced <= self.limits.elements else { throw Self.violation("\(announced) elements") }
        let count = kind == .map || kind == .attribute ? Int(announced) * 2 : Int(announced)
        self.elementCount += count
        guard self.elementCount <= self.limits.elements else { throw Self.violation("too many elements") }
        switch (count, kind) {
        case (0, .array), (0, .set): return .array([])
        case (0, .map): return .map([])
        case (0, .attribute): return nil
        case (0, .push): throw Self.violation("an empty push")
        default: break
        }
        guard self.open.count < self.limits.depth else { throw Self.violation("aggregates are nested too deeply") }
        var elements: [RedisValue] = []
        elements.reserveCapacity(min(count, 16))
        self.open.append(Aggregate(kind: kind, count: count, elements: elements))
        return nil
    }

    /// Puts a value where it belongs, and what that completes in its turn.
    private mutating func finish(_ finished: RedisValue) -> Output? {
        var value = finished
        while let last = self.open.indices.last {
            self.open[last].elements.append(value)
            guard self.open[last].elements.count == self.open[last].count else { return nil }
            let aggregate = self.open.removeLast()
            switch aggregate.kind {
            case .array, .set: value = .array(aggregate.elements)
            case .map: value = .map(Self.pairs(aggregate.elements))
            // Something about the value that follows, in whose place it does not count.
            case .attribute: return nil
            // Some versions put them into the reply that they make at that moment. They are no part of it.
            case .push:
                if self.open.isEmpty { self.resetCounts() }
                return .push(aggregate.elements)
            }
        }
        self.resetCounts()
        return .reply(value)
    }

    private mutating func resetCounts() {
        self.elementCount = 0
        self.byteCount = 0
    }

    private static func pairs(_ elements: [RedisValue]) -> [RedisPair] {
        stride(from: 0, to: elements.count - 1, by: 2).map { RedisPair(key: elements[$0], value: elements[$0 + 1]) }
    }

    private mutating func count(bytes: Int) throws(RedisError) {
        self.byteCount += bytes
        guard self.byteCount <= self.limits.replyLength else { throw Self.violation("a reply is too large") }
    }

    static func violation(_ what: String) -> RedisError { RedisError(.protocolViolation, what) }
}
