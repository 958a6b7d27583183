import EngineIOClient
import EngineIOCore
import NIOCore

/// The server as it is reached: each request goes over a connection of its own.
struct ProbeTarget: Sendable {
    struct Request: Sendable {
        var method = "GET"
        var target: String
        var headers: [(String, String)] = []
        var body: String?
    }

    var url: EngineURL
    /// Ends with a slash.
    var path: String
    /// Of the user.
    var headers: [(String, String)]
    var address: SocketAddress
    var tls: ProbeTLS?
    var timeout: Duration
    /// As a client keeps them: load balancers may know by them which server is meant.
    var cookies: [String] = []

    func target(_ transport: String, sid: String? = nil, version: Int = 4) -> String {
        var target = self.path + "?"
        for (name, value) in self.url.query {
            target += "\(PercentCoding.encode(name))=\(PercentCoding.encode(value))&"
        }
        target += "EIO=\(version)&transport=\(transport)"
        if transport == "polling" { target += "&t=" + String(UInt64.random(in: 0..<1 << 48), radix: 36) }
        if let sid { target += "&sid=" + PercentCoding.encode(sid) }
        return target
    }

    func get(_ transport: String = "polling", sid: String? = nil, version: Int = 4) async throws(WireFailure)
        -> ProbeAnswer
    {
        try await self.send(Request(target: self.target(transport, sid: sid, version: version)))
    }

    func post(_ body: String, sid: String) async throws(WireFailure) -> ProbeAnswer {
        try await self.send(
            Request(
                method: "POST", target: self.target("polling", sid: sid),
                headers: [("Content-Type", "text/plain;charset=UTF-8")], body: body))
    }

    /// Tells the server that nobody comes back; what it answers does not matter.
    func end(sid: String) async { _ = try? await self.post("1", sid: sid) }

    func send(_ request: Request) async throws(WireFailure) -> ProbeAnswer {
        let start = ContinuousClock.now
        var connection = try await self.connect()
        defer { connection.close() }
        let timer = connection.limit(self.timeout)
        defer { timer.cancel() }
        connection.write(self.bytes(request))
        var reader = AnswerReader()
        var answer = try await reader.next(from: &connection)
        answer.time = ContinuousClock.now - start
        return answer
    }

    func connect() async throws(WireFailure) -> ProbeConnection {
        try await ProbeConnection.open(self.address, tls: self.tls, timeout: self.timeout)
    }

    func bytes(_ request: Request, closes: Bool = true) -> ByteBuffer {
        var headers = [("Host", self.url.authority), ("User-Agent", "socketio-doctor"), ("Accept", "*/*")]
        headers.removeAll { header in self.headers.contains { $0.0.lowercased() == header.0.lowercased() } }
        headers += self.headers.filter { $0.0.lowercased() != "cookie" }
        let cookies = self.headers.filter { $0.0.lowercased() == "cookie" }.map(\.1) + self.cookies
        if !cookies.isEmpty { headers.append(("Cookie", cookies.joined(separator: "; "))) }
        if closes { headers.append(("Connection", "close")) }
        headers += request.headers
        if let body = request.body { headers.append(("Content-Length", "\(body.utf8.count)")) }
        var text = "\(request.method) \(request.target) HTTP/1.1\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return ByteBuffer(string: text + "\r\n" + (request.body ?? ""))
    }
}

extension AnswerReader {
    mutating func next(from connection: inout ProbeConnection) async throws(WireFailure) -> ProbeAnswer {
        while let bytes = try await connection.read() {
            if let answer = try self.read(bytes) { return answer }
        }
        return try self.end()
    }
}
