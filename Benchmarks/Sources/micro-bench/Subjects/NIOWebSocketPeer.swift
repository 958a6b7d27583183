import NIOCore
import NIOEmbedded
import NIOWebSocket

/// What WebSocket frames are compared with.
enum NIOWebSocketPeer {
    static func reader() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel()
        let decoder = ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: 1_000_000))
        try channel.pipeline.syncOperations.addHandlers([decoder, Unmasker()])
        return channel
    }

    static func writer() throws -> EmbeddedChannel {
        EmbeddedChannel(handler: WebSocketFrameEncoder())
    }

    static func write(_ payload: ByteBuffer, to channel: EmbeddedChannel) throws {
        try channel.writeOutbound(WebSocketFrame(fin: true, opcode: .text, data: payload))
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { keep(bytes) }
    }

    private final class Unmasker: ChannelInboundHandler {
        typealias InboundIn = WebSocketFrame

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            keep(Self.unwrapInboundIn(data).unmaskedData)
        }
    }
}
