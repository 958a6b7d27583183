import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension JSONWriter {
    /// Writes any `Encodable` value.
    ///
    /// `Data` and `ByteBuffer` become attachments wherever they stand; `Date` is written as JavaScript's dates are,
    /// `URL` and `UUID` as strings, `Decimal` as a number. Everything else goes through its own `encode(to:)`.
    ///
    /// - Throws: what that throws, as the cause of an error with code `encoding_failed`.
    ///
    /// - Parameter separator: a byte to write before it.
    package mutating func encode<T: Encodable>(_ value: T, before separator: UInt8) throws(SocketIOError) {
        // What is sent most takes one write.
        if T.self == String.self {
            return self.writeString(same(value, as: String.self), before: separator, after: nil)
        }
        if T.self == SocketIOValue.self, case .string(let text) = same(value, as: SocketIOValue.self) {
            return self.writeString(text, before: separator, after: nil)
        }
        self.writeByte(separator)
        try self.encode(value)
    }

    /// Writes any `Encodable` value, as ``encode(_:before:)`` without a byte before it.
    package mutating func encode<T: Encodable>(_ value: T) throws(SocketIOError) {
        if try self.writeKnown(value) { return }
        let session = EncodingSession(writer: self, path: [])
        // Whoever holds the only reference writes in place.
        self.bytes = ByteBuffer()
        self.attachments = []
        do {
            try session.encodeRoot(value)
        } catch let error as SocketIOError {
            throw error
        } catch {
            throw SocketIOError(.encodingFailed, "can't encode a value of type \(T.self)", cause: error)
        }
        self = session.takeWriter()
    }

    /// Writes a value of one of the types that need no encoder; false if it is of another.
    @inline(__always)
    mutating func writeKnown<T>(_ value: T) throws(SocketIOError) -> Bool {
        // Comparing metatypes costs next to nothing, dynamic casts a good deal.
        if T.self == String.self {
            self.writeString(same(value, as: String.self))
        } else if T.self == Int.self {
            self.writeInteger(same(value, as: Int.self))
        } else if T.self == Double.self {
            self.writeDouble(same(value, as: Double.self))
        } else if T.self == Bool.self {
            self.writeBool(same(value, as: Bool.self))
        } else if T.self == SocketIOValue.self {
            try self.write(same(value, as: SocketIOValue.self))
        } else if T.self == ByteBuffer.self {
            try self.writeBinary(same(value, as: ByteBuffer.self))
        } else if T.self == Data.self {
            try self.writeBinary(ByteBuffer(same(value, as: Data.self)))
        } else {
            return try self.writeLessCommon(value)
        }
        return true
    }

    private mutating func writeLessCommon<T>(_ value: T) throws(SocketIOError) -> Bool {
        if T.self == Date.self {
            self.write(same(value, as: Date.self))
        } else if T.self == [String].self {
            self.writeArray(same(value, as: [String].self)) { $0.writeString($1) }
        } else if T.self == [Int].self {
            self.writeArray(same(value, as: [Int].self)) { $0.writeInteger($1) }
        } else if T.self == [Double].self {
            self.writeArray(same(value, as: [Double].self)) { $0.writeDouble($1) }
        } else if T.self == String?.self {
            self.writeOptional(same(value, as: String?.self)) { $0.writeString($1) }
        } else if T.self == Int?.self {
            self.writeOptional(same(value, as: Int?.self)) { $0.writeInteger($1) }
        } else if T.self == Float.self {
            self.writeFloat(same(value, as: Float.self))
        } else if T.self == Int64.self {
            self.writeInteger(same(value, as: Int64.self))
        } else if T.self == UInt64.self {
            self.writeInteger(same(value, as: UInt64.self))
        } else if T.self == Int32.self {
            self.writeInteger(same(value, as: Int32.self))
        } else if T.self == UInt32.self {
            self.writeInteger(same(value, as: UInt32.self))
        } else if T.self == UInt8.self {
            self.writeInteger(same(value, as: UInt8.self))
        } else if T.self == UInt.self {
            self.writeInteger(same(value, as: UInt.self))
        } else if T.self == Int16.self {
            self.writeInteger(same(value, as: Int16.self))
        } else if T.self == UInt16.self {
            self.writeInteger(same(value, as: UInt16.self))
        } else if T.self == Int8.self {
            self.writeInteger(same(value, as: Int8.self))
        } else if T.self == URL.self {
            self.writeString(same(value, as: URL.self).absoluteString)
        } else if T.self == UUID.self {
            self.writeString(same(value, as: UUID.self).uuidString)
        } else if T.self == Decimal.self {
            let decimal = same(value, as: Decimal.self)
            if decimal.isNaN { self.writeNull() } else { self.writeText(decimal.description) }
        } else {
            return false
        }
        return true
    }

    @inline(__always)
    private mutating func writeArray<Element>(
        _ elements: [Element],
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        self.writeByte(Byte.openArray)
        var isFirst = true
        for element in elements {
            if !isFirst { self.writeByte(Byte.comma) }
            isFirst = false
            write(&self, element)
        }
        self.writeByte(Byte.closeArray)
    }

    @inline(__always)
    private mutating func writeOptional<Wrapped>(
        _ value: Wrapped?,
        _ write: (inout JSONWriter, Wrapped) -> Void
    ) {
        if let value { write(&self, value) } else { self.writeNull() }
    }

    /// Writes a date as JavaScript's `Date.toISOString` does, to the nearest millisecond; `null` beyond its range.
    mutating func write(_ date: Date) {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        guard let milliseconds = Int64(exactly: milliseconds),
            milliseconds.magnitude <= ISO8601.maxMilliseconds.magnitude
        else { return self.writeNull() }
        self.writeByte(Byte.quote)
        self.bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 27) { ISO8601.write(milliseconds, into: $0) }
        self.writeByte(Byte.quote)
    }

    /// Writes a value.
    package mutating func write(_ value: SocketIOValue) throws(SocketIOError) {
        try self.write(value, depth: 0)
    }

    private mutating func write(_ value: SocketIOValue, depth: Int) throws(SocketIOError) {
        guard depth <= Self.maxDepth else { throw Self.tooDeep }
        switch value {
        case .null: self.writeNull()
        case .bool(let value): self.writeBool(value)
        case .int(let value): self.writeInteger(value)
        case .double(let value): self.writeDouble(value)
        case .string(let value): self.writeString(value)
        case .binary(let value): try self.writeBinary(value)
        case .array(let elements):
            self.writeByte(Byte.openArray)
            var isFirst = true
            for element in elements {
                if !isFirst { self.writeByte(Byte.comma) }
                isFirst = false
                try self.write(element, depth: depth + 1)
            }
            self.writeByte(Byte.closeArray)
        case .object(let object):
            self.writeByte(Byte.openObject)
            var isFirst = true
            for (key, value) in object {
                self.writeKey(key, isFirst: isFirst)
                isFirst = false
                try self.write(value, depth: depth + 1)
            }
            self.writeByte(Byte.closeObject)
        }
    }

    static var tooDeep: SocketIOError {
        SocketIOError(.nestingTooDeep, "values are nested more than \(Self.maxDepth) deep")
    }
}

/// `value` itself, of which the caller has checked that it is of type `B`.
@inline(__always)
func same<A, B>(_ value: A, as type: B.Type) -> B {
    assert(A.self == B.self)
    return unsafeBitCast(value, to: type)
}
