import NIOCore
import SocketIO

/// Values of events as one types them in a shell.
enum ShellValue {
    /// What is JSON is that; anything else is a text, so that words need no quotes in quotes. What begins like an object, an
    /// array or a quoted text but is none is a slip, and not sent as a text.
    ///
    /// - Throws: ``Slip``.
    static func parse(_ text: String) throws -> SocketIOValue {
        if let value = Self.json(text) { return value }
        // A placeholder alone is a text.
        if text.hasPrefix("{{") { return .string(text) }
        let first = text.first { !$0.isWhitespace }
        if let first, "{[\"".contains(first) { throw Slip(text: text) }
        return .string(text)
    }

    struct Slip: Error, CustomStringConvertible {
        let text: String

        var description: String {
            """
            \(self.text.prefix(80)) is no JSON. Put an argument in single quotes, '{"a":1}'; a text that begins like JSON must be \
            written as JSON, '"[sic]"'.
            """
        }
    }

    private static func json(_ text: String) -> SocketIOValue? {
        guard var reader = try? ArgumentReader(checking: ByteBuffer(string: "[\(text)]"), maxDepth: 65),
            !reader.isAtEnd, let value = try? reader.nextValue(), reader.isAtEnd
        else { return nil }
        return value
    }

    /// With the placeholders in texts replaced, but not in keys.
    static func fill(_ value: SocketIOValue, _ placeholders: Placeholders) -> SocketIOValue {
        switch value {
        case .string(let text): placeholders.fill(text)
        case .array(let elements): .array(elements.map { Self.fill($0, placeholders) })
        case .object(let object): .object(.init(object.lazy.map { ($0.key, Self.fill($0.value, placeholders)) }))
        default: value
        }
    }
}

/// What `{{…}}` in texts stands for.
struct Placeholders {
    /// The time in milliseconds since 1970.
    var milliseconds: Int64
    /// Which time it is sent, from 1.
    var number: Int

    /// The time as JavaScript's `toISOString` writes it.
    var now: String {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { bytes in
            let count = ISO8601.write(self.milliseconds, into: bytes)
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    /// A text that is nothing but a number's placeholder becomes a number.
    func fill(_ text: String) -> SocketIOValue {
        switch text {
        case "{{n}}": return .int(self.number)
        case "{{millis}}": return .int(Int(self.milliseconds))
        default: break
        }
        guard text.contains("{{") else { return .string(text) }
        var result = text
        for (name, value) in [("now", self.now), ("millis", "\(self.milliseconds)"), ("n", "\(self.number)")] {
            result =
                result.split(separator: "{{\(name)}}", omittingEmptySubsequences: false).joined(separator: value)
        }
        return .string(result)
    }
}
