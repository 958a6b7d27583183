import NIOCore
import SocketIOCore

/// Reads MessagePack value by value: all that notepack.io 2 and 3 and @msgpack/msgpack write, and any of the forms
/// that the format allows.
///
/// Lengths and counts are believed only as far as there are bytes. After an error other than `typeMismatch` the
/// position is undefined.
package struct MessagePackReader {
    var buffer: ByteBuffer
    /// How many arrays and maps may lie inside each other in one value that is read.
    package let maxDepth: Int

    /// The most that ``maxDepth`` can be: values that are deeper could not be sent as JSON. There is room for what servers put
    /// around them in messages to each other.
    package static var depthLimit: Int { JSONWriter.maxDepth + 8 }

    package init(_ buffer: ByteBuffer, maxDepth: Int = 64) {
        self.buffer = buffer
        self.maxDepth = min(max(0, maxDepth), Self.depthLimit)
    }

    /// True when nothing is left.
    package var isAtEnd: Bool { self.buffer.readableBytes == 0 }

    /// What a value is; the forms of the format that mean the same are not told apart.
    package enum Kind: Hashable, Sendable {
        /// nil, or JavaScript's `undefined` in any dialect.
        case null
        case bool, number, string, binary, array, map
        /// A date, which is read as a string.
        case date
    }

    /// Looks at the next value without moving; `nil` at the end.
    package mutating func peekKind() throws(MessagePackError) -> Kind? {
        if self.isAtEnd { return nil }
        let start = self.buffer.readerIndex
        let token = try self.next()
        self.buffer.moveReaderIndex(to: start)
        return token.kind
    }

    /// Begins an array; returns how many values follow, of which there is at least a byte for each.
    package mutating func readArrayHeader() throws(MessagePackError) -> Int {
        try self.expect { if case .array(let count) = $0 { count } else { nil } }
    }

    /// Begins a map; returns how many keys and values follow, each with at least two bytes for both.
    package mutating func readMapHeader() throws(MessagePackError) -> Int {
        try self.expect { if case .map(let count) = $0 { count } else { nil } }
    }

    /// Reads a string; what is not UTF-8 in it becomes U+FFFD, as in JavaScript.
    package mutating func readString() throws(MessagePackError) -> String {
        let length = try self.expect { if case .string(let length) = $0 { length } else { nil } }
        return self.text(length)
    }

    /// Reads a number without a fraction that fits.
    package mutating func readInt() throws(MessagePackError) -> Int {
        try self.expect { if case .int(let value) = $0 { value } else { nil } }
    }

    package mutating func readBool() throws(MessagePackError) -> Bool {
        try self.expect { if case .bool(let value) = $0 { value } else { nil } }
    }

    /// Reads binary data, which shares its memory with what is read.
    package mutating func readBinary() throws(MessagePackError) -> ByteBuffer {
        let length = try self.expect { if case .binary(let length) = $0 { length } else { nil } }
        return self.bytes(length)
    }

    /// Goes past a nil or `undefined`; false, without moving, if the next value is another.
    package mutating func readNull() throws(MessagePackError) -> Bool {
        let start = self.buffer.readerIndex
        if case .null = try self.next() { return true }
        self.buffer.moveReaderIndex(to: start)
        return false
    }

    /// Reads the key of a member or the name of a room as text.
    ///
    /// JavaScript makes a string of every key. Strings, numbers, truth values, nil and, as text, binary data are taken
    /// so; @msgpack/msgpack refuses all but the first two, notepack.io nothing at all.
    package mutating func readText() throws(MessagePackError) -> String {
        switch try self.next() {
        case .string(let length), .binary(let length): return self.text(length)
        case .int(let value): return String(value)
        case .double(let value): return Self.text(of: value)
        case .bool(let value): return value ? "true" : "false"
        case .null: return "null"
        case .date, .array, .map: throw MessagePackError(.invalidKey)
        }
    }

    /// Goes past a value. Only its structure is looked at, however deep it is.
    package mutating func skip() throws(MessagePackError) {
        var pending = 1
        while pending > 0 {
            pending &-= 1
            switch try self.next() {
            case .string(let length), .binary(let length): self.buffer.moveReaderIndex(forwardBy: length)
            case .array(let count): pending &+= count
            case .map(let count): pending &+= 2 &* count
            default: break
            }
            // A byte for each, at least. So this never overflows either.
            guard pending <= self.buffer.readableBytes else { throw MessagePackError(.truncated) }
        }
    }

    /// The bytes of a value, to be read later; they share their memory with what is read.
    package mutating func readRaw() throws(MessagePackError) -> ByteBuffer {
        var start = self.buffer
        try self.skip()
        let length = self.buffer.readerIndex &- start.readerIndex
        guard let slice = start.readSlice(length: length) else { throw MessagePackError(.truncated) }
        return slice
    }

    /// - Throws: `trailingBytes` if something is left.
    package func expectEnd() throws(MessagePackError) {
        guard self.isAtEnd else { throw MessagePackError(.trailingBytes) }
    }

    // MARK: Pieces

    /// Reads the head of a value that `body` wants; does not move if it does not.
    @inline(__always)
    private mutating func expect<Value>(_ body: (MessagePackToken) -> Value?) throws(MessagePackError) -> Value {
        let start = self.buffer.readerIndex
        if let value = body(try self.next()) { return value }
        self.buffer.moveReaderIndex(to: start)
        throw MessagePackError(.typeMismatch)
    }

    /// The text of a string of which ``next()`` has given the length.
    @inline(__always)
    mutating func text(_ length: Int) -> String { self.buffer.readString(length: length) ?? "" }

    /// The content of binary data of which ``next()`` has given the length.
    @inline(__always)
    mutating func bytes(_ length: Int) -> ByteBuffer { self.buffer.readSlice(length: length) ?? ByteBuffer() }

    /// What JavaScript's `String` makes of a number.
    static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        var writer = JSONWriter()
        writer.writeDouble(value)
        return String(buffer: writer.bytes)
    }
}
