import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

private func systemSend(_ descriptor: NIOBSDSocket.Handle, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if os(Linux)
        send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    #else
        // SwiftNIO has switched SIGPIPE off for the socket.
        send(descriptor, bytes.baseAddress, bytes.count, 0)
    #endif
}

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
    /// For direct writes; nil once the channel has closed it. Kept because to look it up costs more than a write.
    private var descriptor: NIOBSDSocket.Handle?
    /// Writes that SwiftNIO still has to do: what follows must wait behind them.
    private var pendingWrites = 0

    init(loop: LoopState) { self.loop = loop }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard self.loop.writesDirectly else { return }
        self.descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.read()
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
            self.send(self.loop.output, NIOAny(self.loop.output))
            self.loop.output.clear()
        }
        self.loop.sendBroadcasts()
        if !isValid { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {}

    func channelInactive(context: ChannelHandlerContext) {
        self.descriptor = nil
        if let room = self.room { self.loop.leave(self, room: room) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Writing

    /// `data` is `buffer` as the pipeline takes it.
    @inline(__always)
    func send(_ buffer: ByteBuffer, _ data: NIOAny) {
        if let descriptor = self.descriptor {
            self.sendDirectly(buffer, descriptor)
        } else {
            self.context?.writeAndFlush(data, promise: nil)
        }
    }

    private func sendDirectly(_ buffer: ByteBuffer, _ descriptor: NIOBSDSocket.Handle) {
        var rest = buffer
        if self.pendingWrites == 0 {
            let sent = buffer.withUnsafeReadableBytes { systemSend(descriptor, $0) }
            if sent == buffer.readableBytes { return }
            // An error is for the channel to find: its own write will meet it.
            rest.moveReaderIndex(forwardBy: max(sent, 0))
        }
        guard let context = self.context else { return }
        self.pendingWrites += 1
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.pendingWrites -= 1 }
        context.writeAndFlush(Self.wrapOutboundOut(rest), promise: promise)
    }

    // MARK: Reading

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
