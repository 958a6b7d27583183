import MessagePack
import NIOCore
import SocketIO
import TestSupport
import Testing

/// A raw client that speaks MessagePack, as socket.io-msgpack-parser does.
struct PackedClient {
    let session: EIOClient

    static func open(_ port: Int, _ transport: EIOOptions.Transport = .websocket) async throws -> PackedClient {
        PackedClient(session: try await EIOClient.open(EIOOptions(port: port, transport: transport)))
    }

    /// A client that has joined `/`.
    static func join(
        _ port: Int, _ transport: EIOOptions.Transport = .websocket, auth: SocketIOValue? = nil
    ) async throws -> PackedClient {
        let client = try await Self.open(port, transport)
        try client.send(["type": 0, "data": auth ?? [:], "nsp": "/"])
        let answer = try await client.next()
        guard answer["type"] == 0, answer["data"]?["sid"]?.stringValue?.utf8.count == 20 else {
            throw PeerError("not joined: \(answer)")
        }
        return client
    }

    static func bytes(_ packet: SocketIOValue) throws -> [UInt8] {
        var writer = MessagePackWriter(.notepack3)
        try writer.write(packet)
        return Array(buffer: writer.buffer)
    }

    func send(_ packet: SocketIOValue) throws { try self.session.send(try Self.bytes(packet)) }

    /// The next packet.
    func next() async throws -> SocketIOValue {
        var reader = MessagePackReader(ByteBuffer(bytes: try await self.session.nextBinary()))
        let packet = try reader.read()
        try reader.expectEnd()
        return packet
    }

    /// Waits until the server has handled what was sent, and nothing else has come.
    func sync() async throws {
        try self.send(["type": 2, "data": ["sync"], "id": 999, "nsp": "/"])
        let answer = try await self.next()
        #expect(answer == ["type": 3, "nsp": "/", "id": 999, "data": [true]])
    }
}

/// Bytes written in hexadecimal digits.
func hexBytes(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = Substring(text)
    while !rest.isEmpty {
        bytes.append(UInt8(rest.prefix(2), radix: 16) ?? 0)
        rest = rest.dropFirst(2)
    }
    return bytes
}
