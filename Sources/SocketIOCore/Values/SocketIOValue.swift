import NIOCore

/// A value of unknown type, as it travels in events and acknowledgements: everything that JSON can say, and binary data.
///
/// It stands for arguments in catch-all listeners, in middleware that rewrites events, and for events that carry now
/// text, now binary data. Literals make values: `["name": "x", "tags": [1, 2.5, nil]]`.
///
/// Numbers compare by value, as in JavaScript: `.int(1) == .double(1)`.
public enum SocketIOValue: Sendable {
    /// JSON `null`. JavaScript's `undefined` arrives as `null` too.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number written without fraction and exponent that fits. JavaScript rounds integers beyond 2⁵³.
    case int(Int)
    /// Any other number. NaN and the infinities are sent as `null`.
    case double(Double)
    /// A string.
    case string(String)
    /// Binary data, sent as an attachment of the packet.
    case binary(ByteBuffer)
    /// An array.
    case array([SocketIOValue])
    /// An object; its keys keep their order.
    case object(Object)
}

extension SocketIOValue: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.int(let int), .double(let double)), (.double(let double), .int(let int)): Int(exactly: double) == int
        case (.string(let left), .string(let right)): left == right
        case (.binary(let left), .binary(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0 as UInt8)
        case .bool(let value): hasher.combine(value)
        case .int(let value): hasher.combine(value)
        case .double(let value):
            if let int = Int(exactly: value) { hasher.combine(int) } else { hasher.combine(value) }
        case .string(let value): hasher.combine(value)
        case .binary(let value): hasher.combine(value)
        case .array(let value): hasher.combine(value)
        case .object(let value): hasher.combine(value)
        }
    }
}

extension SocketIOValue: CustomStringConvertible {
    /// The value as JSON. Binary data appears as `<n bytes>`.
    public var description: String {
        switch self {
        case .null, .bool, .int, .double, .string:
            var writer = JSONWriter()
            do { try writer.write(self) } catch { return "null" }
            return String(buffer: writer.bytes)
        case .binary(let bytes): return "<\(bytes.readableBytes) bytes>"
        case .array(let elements):
            return "[" + elements.map(\.description).joined(separator: ",") + "]"
        case .object(let object):
            return "{" + object.map { "\(Self.string($0.key)):\($0.value)" }.joined(separator: ",") + "}"
        }
    }
}
