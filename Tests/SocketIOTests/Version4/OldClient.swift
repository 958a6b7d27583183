import NIOCore
import SocketIO
import TestSupport
import Testing

/// A client of Socket.IO 2 over a raw WebSocket: what it gets is compared as it comes.
struct OldClient {
    let webSocket: WSClient
    /// The id of its session, and of its socket in `/`.
    let sid: String

    static func open(_ port: Int, query: String = "") async throws -> OldClient {
        let webSocket = try await WSClient.connect(
            port: port, path: "/socket.io/?EIO=3&transport=websocket" + query)
        let open = try await webSocket.nextText()
        guard open.hasPrefix("0") else { throw PeerError("no handshake but \(open)") }
        return OldClient(webSocket: webSocket, sid: try EIOHandshake(json: String(open.dropFirst())).sid)
    }

    /// A client that is in `/`.
    static func join(_ port: Int, query: String = "") async throws -> OldClient {
        let client = try await Self.open(port, query: query)
        try await client.webSocket.expectText("40")
        return client
    }

    func send(_ packet: String, _ attachments: [UInt8]...) async throws {
        try await self.webSocket.send("4" + packet)
        for attachment in attachments { try await self.webSocket.send([4] + attachment) }
    }

    func expect(_ packet: String, _ attachments: [UInt8]...) async throws {
        try await self.webSocket.expectText("4" + packet)
        for attachment in attachments { try await self.webSocket.expectBinary([4] + attachment) }
    }
}

/// A client of Socket.IO 2 that polls, by hand.
struct OldPollingClient {
    let http: HTTPClient1
    let sid: String
    let path: String

    static func join(_ port: Int, query: String = "") async throws -> OldPollingClient {
        let http = HTTPClient1(port: port)
        let path = "/socket.io/?EIO=3&transport=polling"
        let text = try await http.request("GET", path + query).text
        guard let json = text.firstRange(of: "{") else { throw PeerError("no handshake but \(text)") }
        let sid = try EIOHandshake(json: String(text[json.lowerBound...])).sid
        let client = OldPollingClient(http: http, sid: sid, path: path + "&sid=" + sid)
        let first = try await client.poll()
        guard first.text == "2:40" else { throw PeerError("no CONNECT but \(first.text)") }
        return client
    }

    func poll() async throws -> HTTPReply { try await self.http.request("GET", self.path) }

    func post(_ body: String) async throws {
        let reply = try await self.http.request("POST", self.path, body: .text(body))
        guard reply.text == "ok" else { throw PeerError("a POST was answered \(reply)") }
    }
}
