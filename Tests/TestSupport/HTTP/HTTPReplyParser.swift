import NIOCore

/// Reads one response from the front of a buffer. It is strict: what a server should not send is an error.
enum HTTPReplyParser {
    /// How the end of a body is found.
    private enum Framing {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    /// Takes one response off the buffer, nil when it is not complete.
    static func parse(_ buffer: inout ByteBuffer, isHead: Bool, ended: Bool) throws -> HTTPReply? {
        var rest = buffer
        guard let lines = try headLines(&rest), let statusLine = lines.first else { return nil }
        let (status, reason, isOld) = try parseStatus(statusLine)
        let headers = HTTPHeaderList(fields: try lines.dropFirst().map(parseField))
        let framing = try framing(status: status, headers: headers, isHead: isHead)
        var body: [UInt8] = []
        var isChunked = false
        var closes = headers["connection"]?.lowercased() == "close" || (isOld && headers["connection"] == nil)
        switch framing {
        case .none:
            break
        case .length(let length):
            guard let bytes = rest.readBytes(length: length) else { return nil }
            body = bytes
        case .chunked:
            guard let bytes = try chunkedBody(&rest) else { return nil }
            body = bytes
            isChunked = true
        case .untilClose:
            guard ended else { return nil }
            body = rest.readBytes(length: rest.readableBytes) ?? []
            closes = true
        }
        buffer = rest
        return HTTPReply(
            status: status, reason: reason, headers: headers, body: body, isChunked: isChunked, closes: closes)
    }

    private static func headLines(_ buffer: inout ByteBuffer) throws -> [String]? {
        var lines: [String] = []
        while let line = try line(&buffer) {
            if line.isEmpty { return lines }
            lines.append(line)
        }
        return nil
    }

    /// One line without its CR LF, nil when its end is not there yet.
    private static func line(_ buffer: inout ByteBuffer) throws -> String? {
        guard let end = buffer.readableBytesView.firstIndex(of: 0x0A) else { return nil }
        guard let bytes = buffer.readBytes(length: end - buffer.readerIndex + 1), bytes.dropLast().last == 0x0D else {
            throw PeerError("a header line that does not end with CR LF")
        }
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    private static func parseStatus(_ line: String) throws -> (status: Int, reason: String, isOld: Bool) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0", parts[1].utf8.count == 3,
            let status = Int(parts[1])
        else { throw PeerError("not an HTTP status line: \"\(line)\"") }
        return (status, parts.count == 3 ? String(parts[2]) : "", parts[0] == "HTTP/1.0")
    }

    private static func parseField(_ line: String) throws -> (name: String, value: String) {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains(where: { $0 == " " || $0 == "\t" }) else {
            throw PeerError("not a header field: \"\(line)\"")
        }
        var value = parts[1]
        while value.first == " " || value.first == "\t" { value.removeFirst() }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        return (String(parts[0]), String(value))
    }

    private static func framing(status: Int, headers: HTTPHeaderList, isHead: Bool) throws -> Framing {
        let lengths = headers.all("content-length")
        let codings = headers.all("transfer-encoding")
        guard lengths.count <= 1, codings.count <= 1, lengths.isEmpty || codings.isEmpty else {
            throw PeerError("contradictory body framing: \(headers)")
        }
        if isHead || status < 200 || status == 204 || status == 304 { return .none }
        if let coding = codings.first {
            guard coding.lowercased() == "chunked" else { throw PeerError("transfer coding \"\(coding)\"") }
            return .chunked
        }
        guard let text = lengths.first else { return .untilClose }
        guard let length = Int(text), length >= 0 else { throw PeerError("Content-Length \"\(text)\"") }
        return .length(length)
    }

    private static func chunkedBody(_ buffer: inout ByteBuffer) throws -> [UInt8]? {
        var body: [UInt8] = []
        while let sizeLine = try line(&buffer) {
            let digits = sizeLine.prefix { $0 != ";" }
            guard let size = Int(digits, radix: 16), size >= 0 else { throw PeerError("chunk size \"\(sizeLine)\"") }
            if size == 0 {
                return try headLines(&buffer) == nil ? nil : body
            }
            guard let bytes = buffer.readBytes(length: size), let end = try line(&buffer) else { return nil }
            guard end.isEmpty else { throw PeerError("a chunk longer than its size") }
            body += bytes
        }
        return nil
    }
}
