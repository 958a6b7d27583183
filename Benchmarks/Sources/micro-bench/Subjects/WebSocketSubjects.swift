import BenchSupport
import EngineIOCore
import NIOCore
import NIOEmbedded

/// WebSocket frames, beside NIOWebSocket. Both stand in an `EmbeddedChannel`, whose own cost is the same for both.
enum WebSocketSubjects {
    static func all() throws -> [Subject] {
        try [
            Self.reading("text of 32 bytes", size: 32),
            Self.reading("text of 1 KiB", size: 1024),
            Self.reading("text of 16 KiB", size: 16 << 10),
            Self.reading("16 texts of 32 bytes in a read", size: 32, frames: 16),
            Self.writing("text of 32 bytes", size: 32),
            Self.writing("text of 1 KiB", size: 1024),
            Self.writing("text of 64 bytes for 100 clients", size: 64, recipients: 100),
        ]
    }

    private static func reading(_ what: String, size: Int, frames: Int = 1) throws -> Subject {
        let frame = RawClient.frame(0x1, Array(repeating: UInt8(ascii: "a"), count: size))
        let bytes = ByteBuffer(bytes: (0..<frames).flatMap { _ in frame })
        func body(_ channel: EmbeddedChannel) -> (Int) throws -> Void {
            { times in for _ in 0..<times { try channel.writeInbound(bytes) } }
        }
        let own = EmbeddedChannel(handler: FrameReader())
        let other = try NIOWebSocketPeer.reader()
        return Subject(
            name: "WebSocket: \(what), read", body: body(own),
            reference: .init(name: "NIOWebSocket", body: body(other)), operations: frames)
    }

    private static func writing(_ what: String, size: Int, recipients: Int = 1) throws -> Subject {
        let payload = ByteBuffer(repeating: UInt8(ascii: "a"), count: size)
        let own = EmbeddedChannel()
        let other = try NIOWebSocketPeer.writer()
        return Subject(
            name: "WebSocket: \(what), written",
            body: { times in
                for _ in 0..<times {
                    var frame = ByteBuffer()
                    WebSocketFrame.append(opcode: .text, payload: payload, to: &frame)
                    for _ in 0..<recipients {
                        try own.writeOutbound(frame)
                        keep(try own.readOutbound(as: ByteBuffer.self))
                    }
                }
            },
            reference: .init(name: "NIOWebSocket") { times in
                for _ in 0..<times {
                    for _ in 0..<recipients { try NIOWebSocketPeer.write(payload, to: other) }
                }
            },
            operations: recipients)
    }
}

/// Decodes as the server's handler does.
private final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var decoder = WebSocketDecoder(maxMessageBytes: 1_000_000)
    private var scratch = ByteBuffer()
    private var messages: [WebSocketMessage] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try self.decoder.decode(Self.unwrapInboundIn(data), scratch: &self.scratch, into: &self.messages)
        } catch {
            context.fireErrorCaught(error)
        }
        for message in self.messages { keep(message) }
        self.messages.removeAll(keepingCapacity: true)
    }
}

@available(*, unavailable)
extension FrameReader: Sendable {}
