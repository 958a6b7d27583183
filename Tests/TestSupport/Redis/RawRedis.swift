import NIOCore

/// A reply of RESP2.
package enum RawRedisReply: Sendable, Equatable {
    case simple(String)
    case error(String)
    case integer(Int)
    case bulk(String)
    case array([RawRedisReply])
    case null

    /// Of a string of either kind, or an integer in digits.
    package var text: String? {
        switch self {
        case .simple(let text), .bulk(let text): text
        case .integer(let value): String(value)
        case .error, .array, .null: nil
        }
    }

    package var errorText: String? { if case .error(let text) = self { text } else { nil } }
    package var elements: [RawRedisReply]? { if case .array(let elements) = self { elements } else { nil } }
}

/// A Redis client that knows RESP2 and no more, for tests to look at a server from the side.
package final class RawRedis: Sendable {
    private let connection: RawConnection

    package init(_ connection: RawConnection) { self.connection = connection }

    /// Sends a command and waits for its reply, error replies included.
    package func command(_ arguments: [String], timeout: Duration = defaultTimeout) async throws -> RawRedisReply {
        try await send(arguments)
        return try await next(timeout: timeout)
    }

    package func send(_ arguments: [String]) async throws {
        let parts = arguments.map { "$\($0.utf8.count)\r\n\($0)\r\n" }
        try await connection.send("*\(arguments.count)\r\n" + parts.joined())
    }

    /// The next reply, or message of a channel.
    package func next(timeout: Duration = defaultTimeout) async throws -> RawRedisReply {
        try await connection.take("a reply of Redis", timeout: timeout) { buffer, _ in
            var rest = buffer
            guard let reply = try Self.read(&rest) else { return nil }
            buffer = rest
            return reply
        }
    }

    package func close() async { await connection.close() }

    private static func read(_ buffer: inout ByteBuffer) throws -> RawRedisReply? {
        guard
            let end = buffer.readableBytesView.firstIndex(of: 0x0A),
            let line = buffer.readString(length: end + 1 - buffer.readerIndex)
        else { return nil }
        let rest = String(line.dropFirst().dropLast())
        switch line.first {
        case "+": return .simple(rest)
        case "-": return .error(rest)
        case ":": return Int(rest).map { .integer($0) }
        case "$":
            guard let length = Int(rest) else { break }
            if length < 0 { return .null }
            guard buffer.readableBytes >= length + 2, let text = buffer.readString(length: length) else { return nil }
            buffer.moveReaderIndex(forwardBy: 2)
            return .bulk(text)
        case "*":
            guard let count = Int(rest) else { break }
            if count < 0 { return .null }
            var elements: [RawRedisReply] = []
            for _ in 0..<count {
                guard let element = try read(&buffer) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        default: break
        }
        throw PeerError("no reply of RESP2: \(line)")
    }
}
