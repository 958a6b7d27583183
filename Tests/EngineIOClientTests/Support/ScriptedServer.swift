import EngineIOCore
import Foundation
import NIOCore
import NIOPosix
import TestSupport

/// A server on a free port of loopback that does nothing by itself: a test takes its connections and says what they answer.
final class ScriptedServer: Sendable {
    private let listener: any Channel
    private let connections = Awaited([ScriptedConnection]())
    /// Kept until the end: a connection closes with its last reference.
    private let accepted = Awaited([ScriptedConnection]())
    let port: Int

    init() async throws {
        let connections = self.connections
        self.listener = try await ServerBootstrap(group: PeerLoops.group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = ScriptedConnection(channel)
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(connection.incoming))
                    connections.update { $0.append(connection) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.port = self.listener.localAddress?.port ?? 0
    }

    var url: String { "http://127.0.0.1:\(self.port)" }

    /// The next connection that a client makes.
    func accept() async throws -> ScriptedConnection {
        let connection = try await self.connections.wait("a connection") { connections in
            connections.isEmpty ? nil : connections.removeFirst()
        }
        self.accepted.update { $0.append(connection) }
        return connection
    }

    /// Connections that nobody has taken yet.
    var waiting: Int { self.connections.value.count }

    func close() async {
        try? await self.listener.close()
        for connection in self.connections.value + self.accepted.value { connection.close() }
    }
}

/// Runs `body` with a scripted server that is closed afterwards.
func withScript(
    isolation: isolated (any Actor)? = #isolation, _ body: (ScriptedServer) async throws -> Void
) async throws {
    let server = try await ScriptedServer()
    do {
        try await body(server)
    } catch {
        await server.close()
        throw error
    }
    await server.close()
}

struct ScriptedRequest: Sendable {
    var method: String
    var target: String
    /// Names in lower case.
    var headers: [(String, String)]
    var body: String

    subscript(name: String) -> String? { self.headers.first { $0.0 == name }?.1 }

    var query: QueryParameters { QueryParameters(uri: self.target) }
}

struct ScriptedFrame: Sendable, Equatable {
    var opcode: UInt8
    var payload: [UInt8]
    var isMasked: Bool

    var text: String { String(decoding: self.payload, as: UTF8.self) }
}

final class ScriptedConnection: Sendable {
    struct Incoming: Sendable {
        var bytes = ByteBuffer()
        var isClosed = false
    }

    let channel: any Channel
    let incoming = Awaited(Incoming()) { "\($0.bytes.readableBytes) bytes unread, closed: \($0.isClosed)" }

    init(_ channel: any Channel) { self.channel = channel }

    deinit { self.channel.close(promise: nil) }

    // MARK: HTTP

    func request() async throws -> ScriptedRequest {
        try await self.incoming.wait("a request") { incoming in
            if let request = Self.takeRequest(&incoming.bytes) { return request }
            if incoming.isClosed { throw PeerError("closed instead of a request") }
            return nil
        }
    }

    private static func takeRequest(_ bytes: inout ByteBuffer) -> ScriptedRequest? {
        let all = Array(bytes.readableBytesView)
        guard let end = all.indices.first(where: { all[$0...].starts(with: "\r\n\r\n".utf8) }) else { return nil }
        let lines = String(decoding: all[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ").map(String.init)
        guard first.count == 3 else { return nil }
        let headers = lines.dropFirst().compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
            return parts.count == 2 ? (parts[0].lowercased(), String(parts[1])) : nil
        }
        let length = headers.first { $0.0 == "content-length" }.flatMap { Int($0.1) } ?? 0
        guard all.count >= end + 4 + length else { return nil }
        bytes.moveReaderIndex(forwardBy: end + 4)
        let body = bytes.readString(length: length) ?? ""
        return ScriptedRequest(method: first[0], target: first[1], headers: headers, body: body)
    }

    static func answer(
        _ status: String = "200 OK", _ body: String = "", headers: [(String, String)] = []
    ) -> [UInt8] {
        var text = "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array((text + "\r\n" + body).utf8)
    }

    func answer(_ status: String = "200 OK", _ body: String = "", headers: [(String, String)] = []) async throws {
        try await self.send(Self.answer(status, body, headers: headers))
    }

    /// Answers the first GET of a session.
    @discardableResult
    func openPolling(_ handshake: String = handshake(upgrades: "")) async throws -> ScriptedRequest {
        let request = try await self.request()
        try await self.answer("200 OK", "0" + handshake)
        return request
    }

    // MARK: WebSocket

    /// Takes the request of a WebSocket and answers it.
    @discardableResult
    func acceptWebSocket(_ more: [UInt8] = []) async throws -> ScriptedRequest {
        let request = try await self.request()
        try await self.send(Self.switching(request) + more)
        return request
    }

    static func switching(_ request: ScriptedRequest, accept: String? = nil, more: String = "") -> [UInt8] {
        let accept = accept ?? WebSocketAccept.value(forKey: request["sec-websocket-key"] ?? "")
        return Array(
            """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: \(accept)\r\n\(more)\r\n
            """.utf8)
    }

    /// An unmasked frame.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case ..<126: bytes.append(UInt8(payload.count))
        case ..<65536: bytes += [126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes += [127] + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: payload.count >> $0) }
        }
        return bytes + payload
    }

    static func frame(_ text: String) -> [UInt8] { self.frame(1, Array(text.utf8)) }

    func sendFrame(_ text: String) async throws { try await self.send(Self.frame(text)) }

    func frame() async throws -> ScriptedFrame {
        try await self.incoming.wait("a frame") { incoming in
            if let frame = Self.takeFrame(&incoming.bytes) { return frame }
            if incoming.isClosed { throw PeerError("closed instead of a frame") }
            return nil
        }
    }

    private static func takeFrame(_ bytes: inout ByteBuffer) -> ScriptedFrame? {
        var rest = bytes
        guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self) else {
            return nil
        }
        var length = Int(second & 0x7F)
        if length == 126 {
            guard let long = rest.readInteger(as: UInt16.self) else { return nil }
            length = Int(long)
        } else if length == 127 {
            guard let long = rest.readInteger(as: UInt64.self) else { return nil }
            length = Int(long)
        }
        let isMasked = second & 0x80 != 0
        var key: [UInt8] = [0, 0, 0, 0]
        if isMasked {
            guard let bytes = rest.readBytes(length: 4) else { return nil }
            key = bytes
        }
        guard let payload = rest.readBytes(length: length) else { return nil }
        bytes = rest
        return ScriptedFrame(
            opcode: first & 0x0F, payload: payload.enumerated().map { $1 ^ key[$0 & 3] }, isMasked: isMasked)
    }

    // MARK: Bytes

    func send(_ bytes: [UInt8]) async throws { try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }

    func close() { self.channel.close(promise: nil) }

    /// Waits until the client has closed.
    func closed() async throws {
        try await self.incoming.wait("the client's end") { $0.isClosed ? true : nil }
    }
}

/// The JSON of a handshake; `upgrades` is `"websocket"` or nothing.
func handshake(
    sid: String = "abc", upgrades: String = "\"websocket\"", pingInterval: Int = 25_000, pingTimeout: Int = 20_000,
    maxPayload: Int = 1_000_000
) -> String {
    """
    {"sid":"\(sid)","upgrades":[\(upgrades)],"pingInterval":\(pingInterval),"pingTimeout":\(pingTimeout),\
    "maxPayload":\(maxPayload)}
    """
}

private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let incoming: Awaited<ScriptedConnection.Incoming>

    init(_ incoming: Awaited<ScriptedConnection.Incoming>) { self.incoming = incoming }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        self.incoming.update { $0.bytes.writeBuffer(&bytes) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.incoming.update { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
