import Foundation

/// Header fields in the order of the wire; names are compared without regard to case.
package struct HTTPHeaderList: Sendable, CustomStringConvertible {
    /// All fields.
    package let fields: [(name: String, value: String)]

    /// The first value of a field.
    package subscript(name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// All values of a field, in order.
    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    package var description: String { fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n") }
}

/// A complete response.
package struct HTTPReply: Sendable, CustomStringConvertible {
    /// Status code.
    package let status: Int
    /// Reason phrase.
    package let reason: String
    /// The header.
    package let headers: HTTPHeaderList
    /// The body without its framing.
    package let body: [UInt8]
    /// Whether the body came in chunks.
    package let isChunked: Bool
    /// Whether the connection cannot be used for another request.
    package let closes: Bool

    /// The body as UTF-8, damage replaced.
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as JSON.
    package func json() throws -> Any {
        try JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
    }

    package var description: String { "\(status) \(reason)\n\(headers)\n\n\(text)" }
}

/// What a request carries, and how it is cut.
package enum HTTPBody: Sendable {
    /// No body and no field that announces one.
    case none
    /// With Content-Length, in one write with the head.
    case bytes([UInt8])
    /// With Content-Length, one write per piece after the head.
    case pieces([[UInt8]])
    /// With `Transfer-Encoding: chunked`, one chunk and one write per piece after the head.
    case chunked([[UInt8]])
    /// Content-Length only; the body, or a part of it, follows with `PendingReply.write`.
    case declared(length: Int)
    /// `Transfer-Encoding: chunked`; chunks follow with `PendingReply.write`, the end with `PendingReply.finish`.
    case openChunked

    /// Text as UTF-8, with Content-Length.
    package static func text(_ text: String) -> HTTPBody { .bytes(Array(text.utf8)) }

    var headerLine: String {
        switch self {
        case .none: ""
        case .bytes(let bytes): "Content-Length: \(bytes.count)\r\n"
        case .pieces(let pieces): "Content-Length: \(pieces.reduce(0) { $0 + $1.count })\r\n"
        case .declared(let length): "Content-Length: \(length)\r\n"
        case .chunked, .openChunked: "Transfer-Encoding: chunked\r\n"
        }
    }

    static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [0x0D, 0x0A]
    }

    static let lastChunk = Array("0\r\n\r\n".utf8)
}
