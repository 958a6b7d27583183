import NIOCore

/// The head of a value: all of a scalar, and how much belongs to anything longer.
enum MessagePackToken {
    case null
    case bool(Bool)
    case int(Int)
    /// A number that is no `Int`.
    case double(Double)
    /// That many bytes of text follow.
    case string(Int)
    /// That many bytes follow.
    case binary(Int)
    /// That many values follow.
    case array(Int)
    /// That many pairs of values follow.
    case map(Int)
    /// Milliseconds from 1970; `nil` for what JavaScript calls an invalid date.
    case date(Int64?)

    var kind: MessagePackReader.Kind {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int, .double: .number
        case .string: .string
        case .binary: .binary
        case .array: .array
        case .map: .map
        case .date: .date
        }
    }
}

extension MessagePackReader {
    /// Reads the head of the next value. What it promises is there: each byte, and a byte for each value.
    ///
    /// Counts are read into a constant first: as an argument they might be read behind a copy of `self`.
    mutating func next() throws(MessagePackError) -> MessagePackToken {
        let type: UInt8 = try self.integer()
        switch type {
        case 0x00...0x7F: return .int(Int(type))
        case 0x80...0x8F: return try self.map(Int(type & 0xF))
        case 0x90...0x9F: return try self.array(Int(type & 0xF))
        case 0xA0...0xBF: return .string(try self.length(Int(type & 0x1F)))
        case 0xC0: return .null
        case 0xC2: return .bool(false)
        case 0xC3: return .bool(true)
        case 0xC4: return .binary(try self.length(UInt8.self))
        case 0xC5: return .binary(try self.length(UInt16.self))
        case 0xC6: return .binary(try self.length(UInt32.self))
        case 0xC7:
            let length = try self.length(UInt8.self)
            return try self.extended(length)
        case 0xC8:
            let length = try self.length(UInt16.self)
            return try self.extended(length)
        case 0xC9:
            let length = try self.length(UInt32.self)
            return try self.extended(length)
        case 0xCA: return Self.number(Double(Float(bitPattern: try self.integer())))
        case 0xCB: return Self.number(Double(bitPattern: try self.integer()))
        case 0xCC: return try self.number(UInt8.self)
        case 0xCD: return try self.number(UInt16.self)
        case 0xCE: return try self.number(UInt32.self)
        case 0xCF: return try self.number(UInt64.self)
        case 0xD0: return try self.number(Int8.self)
        case 0xD1: return try self.number(Int16.self)
        case 0xD2: return try self.number(Int32.self)
        case 0xD3: return try self.number(Int64.self)
        case 0xD4...0xD8: return try self.fixedExtension(1 << Int(type - 0xD4))
        case 0xD9: return .string(try self.length(UInt8.self))
        case 0xDA: return .string(try self.length(UInt16.self))
        case 0xDB: return .string(try self.length(UInt32.self))
        case 0xDC...0xDF:
            let count = type & 1 == 0 ? try self.count(UInt16.self) : try self.count(UInt32.self)
            return type < 0xDE ? try self.array(count) : try self.map(count)
        case 0xE0...0xFF: return .int(Int(Int8(bitPattern: type)))
        default: throw MessagePackError(.invalidByte)
        }
    }

    @inline(__always)
    private mutating func integer<T: FixedWidthInteger>() throws(MessagePackError) -> T {
        guard let value: T = self.buffer.readInteger() else { throw MessagePackError(.truncated) }
        return value
    }

    @inline(__always)
    private mutating func number<T: FixedWidthInteger>(_ type: T.Type) throws(MessagePackError) -> MessagePackToken {
        let value: T = try self.integer()
        return Int(exactly: value).map { .int($0) } ?? .double(Double(value))
    }

    @inline(__always)
    private mutating func count<T: FixedWidthInteger>(_ type: T.Type) throws(MessagePackError) -> Int {
        // An `Int` may have 32 bits.
        Int(clamping: try self.integer() as T)
    }

    @inline(__always)
    private mutating func length<T: FixedWidthInteger>(_ type: T.Type) throws(MessagePackError) -> Int {
        let length = try self.count(type)
        return try self.length(length)
    }

    @inline(__always)
    private mutating func length(_ length: Int) throws(MessagePackError) -> Int {
        guard length <= self.buffer.readableBytes else { throw MessagePackError(.truncated) }
        return length
    }

    @inline(__always)
    private mutating func array(_ count: Int) throws(MessagePackError) -> MessagePackToken {
        .array(try self.length(count))
    }

    @inline(__always)
    private mutating func map(_ count: Int) throws(MessagePackError) -> MessagePackToken {
        guard count <= self.buffer.readableBytes / 2 else { throw MessagePackError(.truncated) }
        return .map(count)
    }

    /// Large integers of one dialect are floats. As integers they keep their digits.
    @inline(__always)
    private static func number(_ value: Double) -> MessagePackToken {
        Int(exactly: value).map { .int($0) } ?? .double(value)
    }
}
