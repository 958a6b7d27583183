import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension SocketIOValue {
    /// True for `null`.
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The truth value, if this is one.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number, if this is one without a fraction that fits.
    public var intValue: Int? {
        switch self {
        case .int(let value): value
        case .double(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, if this is one; large integers are rounded.
    public var doubleValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    /// The string, if this is one.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The binary data, if this is some.
    public var binaryValue: ByteBuffer? {
        if case .binary(let value) = self { value } else { nil }
    }

    /// The elements, if this is an array.
    public var arrayValue: [SocketIOValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members, if this is an object.
    public var objectValue: Object? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The value of a member; `nil` when this is no object or has no such member.
    public subscript(key: String) -> SocketIOValue? {
        self.objectValue?[key]
    }

    /// An element; `nil` when this is no array or has no such element.
    public subscript(index: Int) -> SocketIOValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension SocketIOValue {
    /// A date as JavaScript's `Date` writes itself: ISO 8601 in UTC with milliseconds; `null` if it is out of range.
    public init(_ date: Date) {
        var writer = JSONWriter()
        writer.write(date)
        // The text is `null` or plain ASCII in quotes.
        let text = String(buffer: writer.bytes)
        self = text == "null" ? .null : .string(String(text.dropFirst().dropLast()))
    }

    /// The value that `value` has on the wire.
    ///
    /// - Throws: ``SocketIOError`` with what the value's `encode(to:)` threw as its cause.
    public init<T: Encodable>(encoding value: T) throws(SocketIOError) {
        var writer = JSONWriter()
        try writer.encode(value)
        var reader = ArgumentReader(value: writer.bytes, attachments: writer.attachments)
        self = try reader.nextValue()
    }

    /// This value as a `Decodable` type, decoded as an argument of an event would be.
    ///
    /// - Throws: ``SocketIOError`` with code ``SocketIOError/Code/typeMismatch``.
    public func decode<T: Decodable>(_ type: T.Type = T.self) throws(SocketIOError) -> T {
        var writer = JSONWriter()
        try writer.write(self)
        var reader = ArgumentReader(value: writer.bytes, attachments: writer.attachments)
        return try reader.next(type)
    }
}
