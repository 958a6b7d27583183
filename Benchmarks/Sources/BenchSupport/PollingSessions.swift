/// Many clients without a connection of their own: sessions over long-polling that never poll. Thus there can be more of them
/// than a process may have files open.
public enum PollingSessions {
    /// Opens sessions and has each join the namespace `/`.
    public static func open(_ count: Int, port: Int) throws {
        var left = count
        while left > 0 {
            // The server closes a connection with its sixteenth handshake.
            let client = try RawClient(port: port)
            let batch = min(left, 15)
            left -= batch
            let handshake = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n"
            try client.send(Array(String(repeating: handshake, count: batch).utf8))
            var connects = ""
            for body in try Self.responses(batch, of: client) {
                let sid = try Self.sessionID(body)
                connects += """
                    POST /socket.io/?EIO=4&transport=polling&sid=\(sid) HTTP/1.1\r\nHost: localhost\r\n\
                    Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n40
                    """
            }
            try client.send(Array(connects.utf8))
            for body in try Self.responses(batch, of: client) where body != "ok" {
                throw CheckFailure("CONNECT was answered by \(body)")
            }
        }
    }

    private static func sessionID(_ body: String) throws -> Substring {
        let parts = body.split(separator: "\"", maxSplits: 4)
        guard parts.count == 5, parts[1] == "sid" else { throw CheckFailure("no session id in \(body)") }
        return parts[3]
    }

    /// The bodies of the next responses.
    private static func responses(_ count: Int, of client: RawClient) throws -> [String] {
        var bytes: [UInt8] = []
        var bodies: [String] = []
        var position = 0
        while bodies.count < count {
            if let body = Self.body(of: bytes, from: position) {
                bodies.append(String(decoding: bytes[body], as: UTF8.self))
                position = body.upperBound
            } else {
                try client.receiveSome(into: &bytes)
            }
        }
        return bodies
    }

    /// Where the body of the response that begins at `start` lies; nil if not all of it is there.
    private static func body(of bytes: [UInt8], from start: Int) -> Range<Int>? {
        let field = Array("content-length:".utf8)
        var length = 0
        var line = start
        while let end = bytes[line...].firstIndex(of: UInt8(ascii: "\n")) {
            if end == line + 1 {
                return bytes.count - end - 1 >= length ? end + 1..<end + 1 + length : nil
            }
            if end - line > field.count, bytes[line..<line + field.count].map({ $0 | 0x20 }) == field {
                let digits = bytes[line + field.count..<end].filter { (0x30...0x39).contains($0) }
                length = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            }
            line = end + 1
        }
        return nil
    }
}
