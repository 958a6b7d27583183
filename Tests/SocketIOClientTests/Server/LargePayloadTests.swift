import NIOCore
import SocketIO
import SocketIOClient
import TestSupport
import Testing

/// Messages as large as the server takes them.
@Suite(.serialized) struct LargePayloadTests {
    private static let limit = 16 << 20

    private static func large(_ configuration: inout SocketIOConfiguration) {
        configuration.engine.maxPayload = Self.limit
        configuration.engine.maxOutboxBytes = 64 << 20
        configuration.engine.maxInboundQueueBytes = 64 << 20
    }

    @Test(arguments: [Way.polling, .websocket])
    func upToTheLimit(_ way: Way) async throws {
        try await withServer(configure: Self.large) { _, port in
            let client = try await connect(port, "", way.configuration)
            // `4` of Engine.IO, `2` and the id, and what stands around the text.
            let room = Self.limit - #"420["echo",""]"#.utf8.count
            let text =
                String(repeating: "0123456789abcdef", count: room / 16) + String(repeating: "x", count: room % 16)
            let isSame = try await client.emitWithAck("echo", text, timeout: .seconds(60), as: String.self) == text
            #expect(isSame)
            #expect(
                await thrown { _ = try await client.emitWithAck("echo", text + "x", as: String.self) }
                    == "payload too large")
            // Binary grows by a third on its way when polling.
            let count = way == .polling ? Self.limit / 4 * 3 - 3 : Self.limit
            let bytes = ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
            let isSameBinary =
                try await client.emitWithAck("echo", bytes, timeout: .seconds(60), as: ByteBuffer.self) == bytes
            #expect(isSameBinary)
            #expect(
                await thrown {
                    let more = ByteBuffer(repeating: 1, count: count + 4)
                    _ = try await client.emitWithAck("echo", more, as: ByteBuffer.self)
                } == "payload too large")
            #expect(client.connected)
            await client.disconnect()
        }
    }
}
