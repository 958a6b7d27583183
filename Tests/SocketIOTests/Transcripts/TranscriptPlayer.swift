import SocketIO
import TestSupport
import Testing

/// Plays the client of a transcript and compares what the server does.
struct TranscriptPlayer {
    let transcript: Transcript
    let port: Int
    let io: SocketIOServer
    private var ids: [String: String] = [:]
    private var sockets: [WSClient] = []
    private var current = 0
    private let http: HTTPClient1

    init(_ transcript: Transcript, _ io: SocketIOServer, port: Int) {
        self.transcript = transcript
        self.io = io
        self.port = port
        self.http = HTTPClient1(port: port)
    }

    /// Returns the ids that took the places of `<id1>`, …
    mutating func play() async throws -> [String: String] {
        for step in self.transcript.steps { try await self.play(step) }
        // Nothing more has come: the next frame is the answer to this.
        if let socket = self.sockets.last, !self.transcript.steps.contains(where: { Self.ends($0) }) {
            try await socket.send("40/nobody,")
            try await socket.expectText("44/nobody,{\"message\":\"Invalid namespace\"}")
        }
        for socket in self.sockets { await socket.connection.close() }
        await self.http.close()
        return self.ids
    }

    private static func ends(_ step: Transcript.Step) -> Bool {
        if let server = step.server, server.text == nil, server.binary == nil { return true }
        return step.note == "the client destroys its TCP connection"
    }

    private mutating func play(_ step: Transcript.Step) async throws {
        if let path = step.websocket {
            self.sockets.append(try await WSClient.connect(port: self.port, path: path))
            self.current = self.sockets.count - 1
        } else if let frame = step.client {
            // With two connections they ask in turn.
            if self.sockets.count > 1, frame.text == "42[\"ask me\"]" { self.current = 1 - self.current }
            try await self.send(frame)
        } else if let frame = step.server {
            try await self.receive(frame)
        } else if let request = step.request, let response = step.response {
            try await self.exchange(request, response)
        } else if let action = step.serverAction {
            switch action {
            case "io.disconnectSockets()": self.io.disconnectSockets()
            case "io.close()":
                let io = self.io
                Task { await io.close(timeout: .seconds(30)) }
            default: Issue.record("unknown action \(action)")
            }
        } else if step.note == "the client destroys its TCP connection" {
            await self.sockets[self.current].connection.close()
        }
    }

    private func send(_ frame: Transcript.Frame) async throws {
        let socket = self.sockets[self.current]
        if let text = frame.text { try await socket.send(text) }
        if let hex = frame.binary { try await socket.send(Self.bytes(hex)) }
    }

    private mutating func receive(_ frame: Transcript.Frame) async throws {
        let socket = self.sockets[self.current]
        if let text = frame.text {
            let actual = try await socket.nextText()
            let isFit = self.fits(actual, self.transcript.slowed(text))
            #expect(isFit, "expected \(text), got \(actual)")
        } else if let hex = frame.binary {
            try await socket.expectBinary(Self.bytes(hex))
        } else {
            #expect(try await socket.expectClose() == nil)
            try await socket.waitForEOF()
        }
    }

    private mutating func exchange(_ request: Transcript.Request, _ response: Transcript.Response) async throws {
        let body: HTTPBody = request.body?.text.map { .text($0) } ?? .none
        let reply = try await self.http.request(request.method, self.filled(request.path), body: body)
        #expect("HTTP/1.1 \(reply.status) \(reply.reason)" == response.status)
        #expect(reply.headers["content-type"] == response.contentType)
        if let hex = response.body.binary { return #expect(reply.body == Self.bytes(hex)) }
        let expected = response.body.text ?? ""
        let isFit = self.fits(reply.text, expected)
        #expect(isFit, "expected \(expected), got \(reply.text)")
    }

    /// Compares a text with one in which ids are named, and learns those it has not met.
    private mutating func fits(_ actual: String, _ expected: String) -> Bool {
        var actual = Substring(actual)
        var expected = Substring(expected)
        while let mark = expected.firstRange(of: /<id\d+>/) {
            let prefix = expected[..<mark.lowerBound]
            guard actual.hasPrefix(prefix) else { return false }
            actual = actual.dropFirst(prefix.count)
            let name = String(expected[mark])
            let id = self.ids[name] ?? String(actual.prefix(20))
            guard actual.hasPrefix(id), id.count == 20 else { return false }
            self.ids[name] = id
            actual = actual.dropFirst(20)
            expected = expected[mark.upperBound...]
        }
        return actual == expected
    }

    private func filled(_ text: String) -> String {
        self.ids.reduce(text) { $0.replacing($1.key, with: $1.value) }
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Substring(hex)
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
