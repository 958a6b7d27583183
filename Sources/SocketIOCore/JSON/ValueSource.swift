import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where a value of any type can be read from: an argument, or a value inside of one.
protocol ValueSource {
    associatedtype Failure: Error

    /// Calls `body` with a reader and the position of the value; `body` sets the position behind it.
    mutating func read<Value>(
        _ body: (JSONReader, Int, inout Int) throws(Mismatch) -> Value
    ) throws(Failure) -> Value

    /// Decodes a type that is not known here, by its own `init(from:)`.
    mutating func decode<T: Decodable>(_ type: T.Type) throws(Failure) -> T
}

extension ValueSource {
    /// The value as a `T`. Types that need no decoder are found by comparing metatypes, which costs next to nothing;
    /// what is done for them is compiled for the type, however generic the caller is.
    @inline(__always)
    mutating func value<T: Decodable>(as type: T.Type) throws(Failure) -> T {
        if T.self == String.self { return same(try self.read(Self.text), as: type) }
        if T.self == Int.self { return same(try self.read(Self.integer) as Int, as: type) }
        if T.self == Double.self { return same(try self.read(Self.double), as: type) }
        if T.self == Bool.self { return same(try self.read(Self.bool), as: type) }
        if T.self == SocketIOValue.self { return same(try self.read(Self.any), as: type) }
        if T.self == ByteBuffer.self { return same(try self.read(Self.buffer), as: type) }
        if T.self == Data.self { return same(Data(try self.read(Self.buffer)), as: type) }
        return try self.lessCommon(type)
    }

    private mutating func lessCommon<T: Decodable>(_ type: T.Type) throws(Failure) -> T {
        if T.self == Date.self { return same(try self.read(Self.date), as: type) }
        if T.self == [String].self { return same(try self.array(Self.text), as: type) }
        if T.self == [Int].self { return same(try self.array(Self.integer) as [Int], as: type) }
        if T.self == [Double].self { return same(try self.array(Self.double), as: type) }
        if T.self == String?.self { return same(try self.optional(Self.text), as: type) }
        if T.self == Int?.self { return same(try self.optional(Self.integer) as Int?, as: type) }
        if T.self == Float.self { return same(Float(try self.read(Self.double)), as: type) }
        if T.self == Int64.self { return same(try self.read(Self.integer) as Int64, as: type) }
        if T.self == UInt64.self { return same(try self.read(Self.integer) as UInt64, as: type) }
        if T.self == Int32.self { return same(try self.read(Self.integer) as Int32, as: type) }
        if T.self == UInt32.self { return same(try self.read(Self.integer) as UInt32, as: type) }
        if T.self == UInt8.self { return same(try self.read(Self.integer) as UInt8, as: type) }
        if T.self == UInt.self { return same(try self.read(Self.integer) as UInt, as: type) }
        if T.self == Int16.self { return same(try self.read(Self.integer) as Int16, as: type) }
        if T.self == UInt16.self { return same(try self.read(Self.integer) as UInt16, as: type) }
        if T.self == Int8.self { return same(try self.read(Self.integer) as Int8, as: type) }
        if T.self == URL.self { return same(try self.read(Self.url), as: type) }
        if T.self == UUID.self { return same(try self.read(Self.uuid), as: type) }
        if T.self == Decimal.self { return same(try self.read(Self.decimal), as: type) }
        return try self.decode(type)
    }

    // MARK: One function for each type

    typealias Read<Value> = (JSONReader, Int, inout Int) throws(Mismatch) -> Value

    @inline(__always)
    private mutating func optional<Wrapped>(_ read: Read<Wrapped>) throws(Failure) -> Wrapped? {
        try self.read { (reader, position, end) throws(Mismatch) -> Wrapped? in
            guard !reader.isNull(at: position) else {
                end = position &+ 4
                return nil
            }
            return try read(reader, position, &end)
        }
    }

    @inline(__always)
    private mutating func array<Element>(_ read: Read<Element>) throws(Failure) -> [Element] {
        try self.read { (reader, position, end) throws(Mismatch) -> [Element] in
            guard position < reader.bytes.count, reader.bytes[position] == Byte.openArray else {
                throw reader.mismatch("an array", at: position)
            }
            var elements: [Element] = []
            var index = position
            while let start = reader.next(after: index, end: &end) {
                elements.append(try read(reader, start, &index))
            }
            return elements
        }
    }

    @inline(__always)
    private static func text(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> String {
        guard let (content, isEscaped) = reader.string(at: position) else {
            throw reader.mismatch("a string", at: position)
        }
        end = content.upperBound &+ 1
        return JSONString.decode(reader.bytes, content, isEscaped: isEscaped)
    }

    @inline(__always)
    private static func integer<T: FixedWidthInteger>(
        _ reader: JSONReader,
        _ position: Int,
        _ end: inout Int
    ) throws(Mismatch) -> T {
        guard let range = reader.number(at: position), let value: T = JSONNumber.integer(reader.bytes, range) else {
            throw reader.mismatch("an integer from \(T.min) to \(T.max)", at: position)
        }
        end = range.upperBound
        return value
    }

    private static func double(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> Double {
        guard let range = reader.number(at: position), let value = JSONNumber.double(reader.bytes, range) else {
            throw reader.mismatch("a number", at: position)
        }
        end = range.upperBound
        return value
    }

    private static func bool(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> Bool {
        guard position < reader.bytes.count else { throw reader.mismatch("a truth value", at: position) }
        switch reader.bytes[position] {
        case UInt8(ascii: "t"):
            end = position &+ 4
            return true
        case UInt8(ascii: "f"):
            end = position &+ 5
            return false
        default: throw reader.mismatch("a truth value", at: position)
        }
    }

    private static func any(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> SocketIOValue {
        try reader.value(at: position, end: &end)
    }

    private static func buffer(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> ByteBuffer {
        guard let buffer = reader.binary(at: position, end: &end) else {
            throw reader.mismatch("binary data", at: position)
        }
        return buffer
    }

    /// A string in ISO 8601, or milliseconds from 1970 as JavaScript counts them.
    private static func date(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> Date {
        if let range = reader.number(at: position) {
            guard let value = JSONNumber.double(reader.bytes, range), value.isFinite else {
                throw reader.mismatch("a date", at: position)
            }
            end = range.upperBound
            return Date(timeIntervalSince1970: value / 1000)
        }
        guard let (content, isEscaped) = reader.string(at: position), !isEscaped,
            let milliseconds = ISO8601.parse(UnsafeRawBufferPointer(rebasing: reader.bytes[content]))
        else { throw reader.mismatch("a date", at: position) }
        end = content.upperBound &+ 1
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    private static func url(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> URL {
        guard let url = URL(string: try Self.text(reader, position, &end)) else {
            throw reader.mismatch("a URL", at: position)
        }
        return url
    }

    private static func uuid(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> UUID {
        guard let uuid = UUID(uuidString: try Self.text(reader, position, &end)) else {
            throw reader.mismatch("a UUID", at: position)
        }
        return uuid
    }

    private static func decimal(_ reader: JSONReader, _ position: Int, _ end: inout Int) throws(Mismatch) -> Decimal {
        guard let range = reader.number(at: position),
            let value = Decimal(string: String(decoding: reader.bytes[range], as: UTF8.self)), value.isFinite
        else { throw reader.mismatch("a decimal number", at: position) }
        end = range.upperBound
        return value
    }
}
