import Foundation
import NIOCore

/// The server answered a WebSocket handshake with something other than 101.
package struct WSRefused: Error, CustomStringConvertible {
    /// The answer.
    package let reply: HTTPReply

    /// Its status code.
    package var status: Int { reply.status }
    package var description: String { "WebSocket refused: \(reply)" }
}

/// A WebSocket client that shows what arrives and answers nothing by itself.
package final class WSClient: Sendable {
    /// The connection below, for bytes that are no frames, slow reading and resets.
    package let connection: RawConnection
    /// The 101 response.
    package let handshake: HTTPReply
    private let assembly = Locked(WSAssembly())

    private init(connection: RawConnection, handshake: HTTPReply) {
        self.connection = connection
        self.handshake = handshake
    }

    /// Connects and makes the handshake.
    ///
    /// - Parameters:
    ///   - headers: header fields behind those of the handshake; one with the name of such a field replaces it, and an
    ///     empty value leaves it out.
    /// - Throws: `WSRefused` when the answer is not 101, `PeerError` for a wrong 101.
    package static func connect(
        host: String = "127.0.0.1",
        port: Int,
        path: String,
        headers: [(String, String)] = [],
        receiveBuffer: Int? = nil,
        timeout: Duration = defaultTimeout
    ) async throws -> WSClient {
        let connection = try await RawConnection.connect(
            host: host, port: port, receiveBuffer: receiveBuffer, timeout: timeout)
        let key = Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        let standard = [
            ("Host", "\(host):\(port)"), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key),
        ]
        let given = Set(headers.map { $0.0.lowercased() })
        let fields = standard.filter { !given.contains($0.0.lowercased()) } + headers.filter { !$0.1.isEmpty }
        let head = fields.reduce("GET \(path) HTTP/1.1\r\n") { $0 + "\($1.0): \($1.1)\r\n" } + "\r\n"
        try await connection.send(head, timeout: timeout)
        let reply = try await connection.take("the answer to a WebSocket handshake", timeout: timeout) {
            buffer, ended in
            try HTTPReplyParser.parse(&buffer, isHead: false, ended: ended)
        }
        guard reply.status == 101 else {
            connection.closeSoon()
            throw WSRefused(reply: reply)
        }
        let sentKey = headers.first { $0.0.lowercased() == "sec-websocket-key" }?.1 ?? key
        try check(reply, key: sentKey)
        return WSClient(connection: connection, handshake: reply)
    }

    private static func check(_ reply: HTTPReply, key: String) throws {
        let digest = SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        let upgrades = reply.headers["upgrade"]?.lowercased() == "websocket"
        let connection = reply.headers["connection"]?.lowercased() ?? ""
        guard upgrades, connection.contains("upgrade"), reply.headers["content-length"] ?? "0" == "0",
            reply.headers["sec-websocket-accept"] == Data(digest).base64EncodedString()
        else { throw PeerError("a wrong answer to a WebSocket handshake: \(reply)") }
    }

    // MARK: Sending

    /// Sends a text message in one frame.
    package func send(_ text: String, timeout: Duration = defaultTimeout) async throws {
        try await send(RawFrame(opcode: 1, payload: Array(text.utf8)), timeout: timeout)
    }

    /// Sends a binary message in one frame.
    package func send(_ bytes: [UInt8], timeout: Duration = defaultTimeout) async throws {
        try await send(RawFrame(opcode: 2, payload: bytes), timeout: timeout)
    }

    /// Sends a message in fragments.
    package func send(
        fragments: [[UInt8]], isText: Bool, timeout: Duration = defaultTimeout
    ) async throws {
        for (index, fragment) in fragments.enumerated() {
            let opcode: UInt8 = index > 0 ? 0 : isText ? 1 : 2
            let frame = RawFrame(opcode: opcode, payload: fragment, isFinal: index == fragments.count - 1)
            try await send(frame, timeout: timeout)
        }
    }

    /// Sends a frame as it is given.
    package func send(_ frame: RawFrame, timeout: Duration = defaultTimeout) async throws {
        try await connection.send(frame.encoded(), timeout: timeout)
    }

    /// Sends a ping.
    package func sendPing(_ data: [UInt8] = []) async throws {
        try await send(RawFrame(opcode: 9, payload: data))
    }

    /// Sends a pong.
    package func sendPong(_ data: [UInt8] = []) async throws {
        try await send(RawFrame(opcode: 10, payload: data))
    }

    /// Sends a close frame, empty without a code. The connection stays open.
    package func sendClose(code: UInt16? = nil, reason: String = "") async throws {
        var payload: [UInt8] = []
        if let code { payload = [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8) }
        try await send(RawFrame(opcode: 8, payload: payload))
    }

    // MARK: Receiving

    /// Waits for the next message or control frame.
    ///
    /// - Throws: `PeerError` for anything a correct server does not send, `ConnectionEnded`, `TimeoutError`.
    package func next(timeout: Duration? = defaultTimeout) async throws -> WSFrame {
        try await connection.take("a WebSocket frame", timeout: timeout) { buffer, _ in
            try self.assembly.withLock { try $0.next(&buffer) }
        }
    }

    /// Waits for the next frame as it is on the wire; not to be mixed with `next` inside a fragmented message.
    package func nextRawFrame(timeout: Duration = defaultTimeout) async throws -> RawFrame {
        try await connection.take("a WebSocket frame", timeout: timeout) { buffer, _ in try RawFrame.parse(&buffer) }
    }

    /// Waits for the next frame, which must be a text message.
    package func nextText(timeout: Duration = defaultTimeout) async throws -> String {
        let frame = try await next(timeout: timeout)
        guard case .text(let text) = frame else { throw PeerError("expected a text message, got \(frame)") }
        return text
    }

    /// Waits for the next frame, which must be this text message.
    package func expectText(_ expected: String, timeout: Duration = defaultTimeout) async throws {
        let frame = try await next(timeout: timeout)
        guard frame == .text(expected) else { throw PeerError("expected the text \"\(expected)\", got \(frame)") }
    }

    /// Waits for the next frame, which must be this binary message.
    package func expectBinary(_ expected: [UInt8], timeout: Duration = defaultTimeout) async throws {
        let frame = try await next(timeout: timeout)
        guard frame == .binary(expected) else { throw PeerError("expected the bytes \(expected), got \(frame)") }
    }

    /// Waits for a close frame and returns its code, nil when it has none.
    ///
    /// - Parameters:
    ///   - skipping: whether other frames may come before it.
    ///   - answer: whether to send the close frame back, as a correct client does.
    @discardableResult
    package func expectClose(
        skipping: Bool = false, answer: Bool = true, timeout: Duration = defaultTimeout
    ) async throws -> UInt16? {
        while true {
            let frame = try await next(timeout: timeout)
            if case .close(let code, _) = frame {
                if answer { try? await sendClose(code: code) }
                return code
            }
            guard skipping else { throw PeerError("expected a close frame, got \(frame)") }
        }
    }

    /// Waits for the end of the TCP connection.
    @discardableResult
    package func waitForEOF(timeout: Duration = defaultTimeout) async throws -> ConnectionEnd {
        try await connection.waitForClose(timeout: timeout)
    }

    /// Closes in order: close frame, the server's close frame, end of the connection.
    package func close(code: UInt16? = nil, timeout: Duration = defaultTimeout) async throws {
        try await sendClose(code: code)
        try await expectClose(skipping: true, answer: false, timeout: timeout)
        try await waitForEOF(timeout: timeout)
    }
}
