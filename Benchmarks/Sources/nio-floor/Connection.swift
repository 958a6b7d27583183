import NIOCore

/// One connection, from its first byte to its last: HTTP requests, then perhaps WebSocket frames.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let loop: LoopState
    var context: ChannelHandlerContext?
    var isWebSocket = false
    var room: Int?
    /// The start of a request or frame whose end has not come.
    private var rest = ByteBuffer()

    init(loop: LoopState) { self.loop = loop }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let input = Self.unwrapInboundIn(data)
        let isValid: Bool
        if self.rest.readableBytes == 0 {
            let consumed = self.answer(input)
            isValid = consumed != nil
            if let consumed, consumed < input.readableBytes {
                self.rest.writeBytes(input.readableBytesView.dropFirst(consumed))
            }
        } else {
            self.rest.writeImmutableBuffer(input)
            let consumed = self.answer(self.rest)
            isValid = consumed != nil
            self.rest.moveReaderIndex(forwardBy: consumed ?? 0)
            if self.rest.readableBytes == 0 { self.rest = ByteBuffer() } else { self.rest.discardReadBytes() }
        }
        self.loop.receiveBuffer.put(input)
        if self.loop.output.readableBytes > 0 {
            context.writeAndFlush(Self.wrapOutboundOut(self.loop.output), promise: nil)
            self.loop.output.clear()
        }
        self.loop.sendBroadcasts()
        if !isValid { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {}

    func channelInactive(context: ChannelHandlerContext) {
        if let room = self.room { self.loop.leave(context, room: room) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// Appends the replies to what `input` holds in whole to the loop's output. Returns how much that was; nil to close.
    private func answer(_ input: ByteBuffer) -> Int? {
        input.withUnsafeReadableBytes { input in
            var consumed: Int? = 0
            if !self.isWebSocket { consumed = self.answerRequests(input) }
            guard self.isWebSocket, let start = consumed, start < input.count else { return consumed }
            // The longest reply in proportion, to "40", has four times the bytes of its frame.
            let bound = (input.count - start) * 4
            self.loop.output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { space in
                guard let base = space.baseAddress else { return 0 }
                var output = Output(base)
                consumed = self.answerFrames(input, from: start, into: &output)
                return output.count
            }
            return consumed
        }
    }
}
