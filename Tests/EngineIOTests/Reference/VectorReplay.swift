import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// Plays a captured exchange against our server, step by step, and compares.
final class VectorReplay {
    private let server: TestServer
    private let exchange: VectorFile.Exchange
    /// `<sid>` and `<sid2>`, as they are this time.
    private var ids: [String: String] = [:]
    private var webSockets: [WSClient] = []
    private var refusedWebSocket = false
    private var pending: [(PendingReply, VectorFile.Response)] = []

    init(_ exchange: VectorFile.Exchange, _ server: TestServer) {
        self.exchange = exchange
        self.server = server
    }

    func run() async throws {
        for step in self.exchange.steps {
            if let request = step.request, let response = step.response {
                try await self.send(request, response)
            } else if let webSocket = step.websocket {
                try await self.open(webSocket, step.response)
            } else if let frame = step.websocketSend {
                try await self.send(frame)
            } else if let frames = step.websocketReceive {
                for frame in frames where frame.rawText == nil { try await self.receive(frame) }
                if step.connection != nil, !self.refusedWebSocket {
                    try await self.webSockets.last?.waitForEOF()
                }
            } else if let note = step.note {
                try await self.act(note)
            }
        }
        for (reply, expected) in self.pending { try await self.check(reply, expected) }
        try await self.checkReports()
    }

    // MARK: Requests

    private func send(_ request: VectorFile.Request, _ expected: VectorFile.Response) async throws {
        var headers = [("Connection", "close")]
        for (name, value) in request.headers ?? [:] { headers.append((name, value)) }
        let body = request.body.map { HTTPBody.bytes($0.bytes) } ?? .none
        let path = self.replaced(request.path)
        let reply = try await self.server.http.start(request.method, path, headers: headers, body: body)
        let session = self.ids["<sid>"].flatMap { self.server.session($0) }
        if expected.noResponse == "aborted by the client" {
            try await eventually("the request to arrive") { session?.hasPoll == true || session?.hasPost == true }
            await reply.abort()
            _ = try await self.server.end(self.ids["<sid>"] ?? "")
        } else if expected.noResponse != nil || request.note == "stays open while the next steps run" {
            try await eventually("the request to wait") { session?.hasPoll == true || session?.hasPost == true }
            self.pending.append((reply, expected))
        } else {
            try await self.check(reply, expected)
        }
    }

    private func check(_ pending: PendingReply, _ expected: VectorFile.Response) async throws {
        guard expected.noResponse == nil else {
            await #expect(throws: ConnectionEnded.self) { try await pending.reply() }
            return
        }
        self.compare(try await pending.reply(), expected)
        if expected.ended != nil { try await pending.connection.waitForClose() }
    }

    private func compare(_ reply: HTTPReply, _ expected: VectorFile.Response) {
        #expect("HTTP/1.1 \(reply.status) \(reply.reason)" == expected.status)
        if let text = expected.body?.text.map({ VectorTests.corrected[$0] ?? $0 }) {
            self.learn(reply.text, text)
            #expect(reply.text == self.replaced(text))
        }
        if let body = expected.body, body.binary != nil { #expect(reply.body == body.bytes) }
        // How a body is framed is the server's affair; dates and the fate of the connection were not captured.
        let framing: Set = ["content-length", "transfer-encoding", "connection", "date", "sec-websocket-accept"]
        var wanted: [String: String] = [:]
        for (name, value) in expected.headers ?? [:] { wanted[name.lowercased()] = self.replaced(value) }
        for field in reply.headers.fields where !framing.contains(field.name.lowercased()) {
            #expect(wanted.removeValue(forKey: field.name.lowercased()) == field.value, "\(field.name)")
        }
        #expect(wanted.keys.allSatisfy(framing.contains), "missing: \(wanted)")
    }

    // MARK: WebSocket

    private func open(_ webSocket: VectorFile.WebSocket, _ expected: VectorFile.Response?) async throws {
        do {
            let client = try await WSClient.connect(port: self.server.port, path: self.replaced(webSocket.path))
            self.webSockets.append(client)
            if let expected { self.compare(client.handshake, expected) }
        } catch let refused as WSRefused {
            self.refusedWebSocket = true
            if let expected { self.compare(refused.reply, expected) }
        }
    }

    private func send(_ frame: VectorFile.Frame) async throws {
        let webSocket = try #require(self.webSockets.last)
        if frame.binary != nil {
            try await webSocket.send(frame.bytes)
        } else {
            try await webSocket.send(frame.text ?? "")
        }
    }

    private func receive(_ frame: VectorFile.Frame) async throws {
        let webSocket = try #require(self.webSockets.last)
        if frame.isClose {
            #expect(try await webSocket.expectClose() == frame.closeCode)
            try await webSocket.waitForEOF()
            // The session goes on with the one before.
            if self.webSockets.count > 1 { self.webSockets.removeLast() }
        } else if frame.binary != nil {
            try await webSocket.expectBinary(frame.bytes)
        } else {
            let text = try await webSocket.nextText()
            self.learn(text, frame.text ?? "")
            #expect(text == self.replaced(frame.text ?? ""))
        }
    }

    // MARK: The server's side

    private func act(_ note: String) async throws {
        guard let session = self.server.log.value.sessions.last else { return }
        switch note {
        case "server: socket.close()": session.close()
        case "server: socket.send(\"bye\"); socket.close()":
            session.send(text: "bye")
            session.close()
        case "server: socket.send(\"during\")": session.send(text: "during")
        case "server: engine.close()": await self.server.server.close()
        case "no pong this time": _ = try await self.server.end(session.id)
        default: break
        }
    }

    private func checkReports() async throws {
        let ends = (self.exchange.serverCloseEvents ?? []).map(\.reason)
        try await self.server.log.wait("the reports of the server") { $0.ends.count >= ends.count ? true : nil }
        let log = self.server.log.value
        #expect(log.ends.map(\.reason) == ends)
        #expect(log.refusals.map(\.code) == (self.exchange.connectionErrors ?? []).map(\.code))
    }

    // MARK: Session ids

    /// Notes the id that stands where `expected` has a name for it.
    private func learn(_ text: String, _ expected: String) {
        for name in ["<sid>", "<sid2>"] where self.ids[name] == nil && expected.contains(name) {
            // JSONP has it in a string.
            guard let start = text.firstRange(of: /"sid\\?":\\?"/)?.upperBound,
                let end = text[start...].firstIndex(where: { $0 == "\"" || $0 == "\\" })
            else { return }
            self.ids[name] = String(text[start..<end])
        }
    }

    private func replaced(_ text: String) -> String {
        var text = text
        let options = self.exchange.options
        for (key, value) in [("pingInterval", options.pingInterval), ("pingTimeout", options.pingTimeout)] {
            guard let value else { continue }
            text = text.replacing("\"\(key)\":\(value)", with: "\"\(key)\":\(value * VectorTests.slowness)")
        }
        let filled = self.ids.reduce(text) { $0.replacing($1.key, with: $1.value) }
        // A handshake of protocol 3 begins with its length.
        guard options.pingInterval != nil, let head = filled.prefixMatch(of: /\d+:(?=0\{)/) else { return filled }
        let packet = filled[head.range.upperBound...]
        return "\(packet.utf16.count):\(packet)"
    }
}
