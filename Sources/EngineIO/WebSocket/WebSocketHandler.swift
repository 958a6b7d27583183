import EngineIOCore
import Logging
import NIOCore

/// The WebSocket end of a session: decodes frames in place, hands their messages over, and writes what waits in the outbox.
///
/// It is confined to its event loop, as every channel handler; see ``SessionEndpoint``.
final class WebSocketHandler: SessionEndpoint, @unchecked Sendable, ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Role {
        /// Open for a polling session that has not switched yet.
        case probing
        case serving
        /// A close frame was sent, or the session has ended: what still comes is not read.
        case closing
    }

    let session: EngineIOSession
    private var role: Role
    // Touched by each read, on one thread, and never while it is in use.
    @exclusivity(unchecked) private var decoder: WebSocketDecoder
    private(set) var context: ChannelHandlerContext?
    /// Reading has stopped because what was read waits.
    var isPaused = false
    /// The client's close frame was read and waits behind messages.
    var isPeerClosing = false
    private var isDraining = false
    private var mustDrainAgain = false
    private var hasProbed = false
    /// Whether the channel takes more, as it has told last: asking it for each packet costs a good deal.
    private var isWritable = true
    /// What the session was told about this channel; it is told only when that changes.
    private var reportedWritable = true
    private var closeDeadline = UInt64.max

    /// What is handed to NIO at once. More waits in the outbox, where it is counted.
    private static let batchBytes = 64 << 10
    /// A frame up to this size is copied into one write with its neighbours; a larger one is written as it is.
    private static let coalescedFrameBytes = 4 << 10

    init(session: EngineIOSession, isProbing: Bool, maxPayload: Int, loop: LoopContext) {
        self.session = session
        self.role = isProbing ? .probing : .serving
        self.decoder = WebSocketDecoder(maxMessageBytes: maxPayload)
        super.init(loop: loop)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.isWritable = context.channel.isWritable
        self.session.server.webSocketOpened()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.endRead()
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .closing = self.role { return self.readWhileClosing(data) }
        self.beginRead()
        var messages = self.loop.messages.popLast() ?? []
        var failure: WebSocketError?
        do {
            try self.decoder.decode(
                Self.unwrapInboundIn(data), scratch: &self.loop.unmasked, into: &messages)
        } catch {
            failure = error
        }
        self.dispatch(messages, context)
        messages.removeAll(keepingCapacity: messages.count <= 256)
        self.loop.messages.append(messages)
        if let failure, self.role != .closing { self.fail(failure) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.endRead()
        context.fireChannelReadComplete()
    }

    private func dispatch(_ messages: [WebSocketMessage], _ context: ChannelHandlerContext) {
        let isInside = self.session.enterGate()
        reading: for message in messages {
            switch message {
            case .text(let text):
                if case .probing = self.role {
                    self.probe(text)
                } else if case .ended = self.session.receive(text: text, isInside: isInside, on: self.loop) {
                    break reading
                }
            case .binary(let data):
                if case .probing = self.role {
                    self.endProbe()
                } else {
                    _ = self.session.receive(.binary(data), isInside: isInside, on: self.loop)
                }
            case .ping(let payload):
                // A client that floods pings and reads no pongs gets none until it reads again.
                guard self.isWritable else { continue }
                var pong = ByteBuffer()
                WebSocketFrame.append(opcode: .pong, payload: payload, to: &pong)
                context.writeAndFlush(Self.wrapOutboundOut(pong), promise: nil)
            case .pong:
                continue
            case .close(let code, _):
                if isInside, self.session.throttle != nil {
                    self.closeInOrder(code)
                } else {
                    self.peerClosed(code)
                }
            }
            if case .closing = self.role { break reading }
        }
        if isInside {
            if self.session.throttle != nil { self.pauseReading() }
            self.session.leaveGate(on: self.loop)
        }
    }

    private func fail(_ error: WebSocketError) {
        var metadata: Logger.Metadata = ["socketio.closeCode": "\(error.closeCode)"]
        if error == .messageTooBig { metadata["socketio.limit"] = "maxPayload" }
        self.session.server.logger.debug("WebSocket closed: \(error.message)", metadata: metadata)
        if case .probing = self.role {
            self.endProbe(code: error.closeCode)
        } else {
            self.session.end(reason: .transportError, .code(error.closeCode))
        }
    }

    // MARK: Upgrade

    private func probe(_ text: ByteBuffer) {
        let bytes = text.readableBytesView
        if bytes.elementsEqual("2probe".utf8), !self.hasProbed {
            self.hasProbed = true
            var answer = ByteBuffer()
            WebSocketFrame.append(opcode: .text, payload: ByteBuffer(string: "3probe"), to: &answer)
            self.context?.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil)
            self.session.confirmProbe(self)
        } else if bytes.elementsEqual("5".utf8), self.session.completeUpgrade(self) {
            self.role = .serving
        } else {
            self.endProbe()
        }
    }

    private func endProbe(code: UInt16? = nil) {
        self.session.endUpgrade(self)
        self.close(code: code)
    }

    // MARK: Writing

    override func drain(_ session: EngineIOSession) {
        guard let context = self.context, !self.isDraining else {
            self.mustDrainAgain = true
            return
        }
        self.isDraining = true
        var rest = SessionState.Rest.more
        repeat {
            self.mustDrainAgain = false
            var wrote = false
            var spare: ByteBuffer?
            while self.isWritable, self.role == .serving {
                var frames = self.loop.frames
                self.loop.frames = []
                var completions: [@Sendable (Bool) -> Void] = []
                rest = session.takeFrames(
                    for: self, maxBytes: Self.batchBytes, into: &frames, completions: &completions)
                let isEmpty = frames.isEmpty
                if !isEmpty { self.write(frames, completions, context) }
                if frames.count == 1 { spare = frames[0] }
                wrote = wrote || !isEmpty
                frames.removeAll(keepingCapacity: frames.count <= 1024)
                self.loop.frames = frames
                if isEmpty || rest != .more { break }
            }
            if wrote { context.flush() }
            if let spare { self.loop.giveBack(spare: spare) }
        } while self.mustDrainAgain
        self.isDraining = false
        self.report(context)
        if rest == .closing, self.role == .serving { session.finishClosing(self) }
    }

    private func write(
        _ frames: [ByteBuffer],
        _ completions: [@Sendable (Bool) -> Void],
        _ context: ChannelHandlerContext
    ) {
        var promise: EventLoopPromise<Void>?
        if !completions.isEmpty {
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenComplete { result in
                let isWritten = if case .success = result { true } else { false }
                for completion in completions { completion(isWritten) }
            }
            promise = written
        }
        if frames.count == 1 {
            context.write(Self.wrapOutboundOut(frames[0]), promise: promise)
            return
        }
        // One write for many small frames: NIO and the system then see one buffer.
        var buffer = self.loop.coalesced
        self.loop.coalesced = ByteBuffer()
        buffer.clear()
        for frame in frames {
            if frame.readableBytes <= Self.coalescedFrameBytes {
                buffer.writeImmutableBuffer(frame)
            } else {
                if buffer.readableBytes > 0 {
                    context.write(Self.wrapOutboundOut(buffer), promise: nil)
                    buffer = context.channel.allocator.buffer(capacity: 0)
                }
                context.write(Self.wrapOutboundOut(frame), promise: nil)
            }
        }
        if buffer.readableBytes > 0 {
            context.write(Self.wrapOutboundOut(buffer), promise: promise)
        } else if let promise {
            context.write(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
        }
        self.loop.coalesced = buffer
    }

    private func report(_ context: ChannelHandlerContext) {
        let isWritable = self.isWritable
        guard isWritable != self.reportedWritable || !isWritable else { return }
        self.reportedWritable = isWritable
        let pending = isWritable ? 0 : self.pendingBytes(context)
        self.session.drained(self, isWritable: isWritable, bytesInFlight: pending)
    }

    private func pendingBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.isWritable = context.channel.isWritable
        if self.isWritable, self.role == .serving {
            if self.isDraining { self.mustDrainAgain = true } else { self.drain(self.session) }
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Closing

    /// Closes a WebSocket that is of no use to its session.
    func refuse() { self.close(code: nil) }

    override func sessionEnded(_ end: SessionEnd) {
        switch end {
        case .close, .noop: self.close(code: nil)
        case .code(let code): self.close(code: code)
        case .cut:
            self.role = .closing
            self.context?.close(promise: nil)
        }
    }

    /// Sends a close frame, without a status code if `code` is nil, and waits for the client's.
    private func close(code: UInt16?) {
        guard self.role != .closing, let context = self.context else { return }
        self.role = .closing
        context.writeAndFlush(Self.wrapOutboundOut(WebSocketFrame.close(code: code)), promise: nil)
        // Its close frame is to be read.
        if self.isPaused { self.resumeReading() }
        if self.isPeerClosing { return context.close(promise: nil) }
        // After a violation nothing the client says can be understood, its close frame neither: its end is awaited.
        if self.decoder.isFinished { context.close(mode: .output, promise: nil) }
        self.closeDeadline = NIODeadline.now().uptimeNanoseconds &+ self.session.server.limits.closeTimeout
        self.loop.wake(self, at: self.closeDeadline)
    }

    func peerClosed(_ code: UInt16?) {
        guard self.role != .closing, let context = self.context else { return }
        let wasProbing = self.role == .probing
        self.role = .closing
        context.writeAndFlush(Self.wrapOutboundOut(WebSocketFrame.close(code: code)), promise: nil)
        if wasProbing { self.session.endUpgrade(self) } else { self.session.end(reason: .transportClose, .cut) }
        context.close(promise: nil)
    }

    /// After our close frame only the client's counts, and that it comes to an end.
    private func readWhileClosing(_ data: NIOAny) {
        var messages: [WebSocketMessage] = []
        var isOver = false
        do { try self.decoder.decode(Self.unwrapInboundIn(data), into: &messages) } catch { isOver = true }
        for case .close in messages { isOver = true }
        if isOver { self.context?.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let role = self.role
        self.role = .closing
        self.session.server.webSocketClosed()
        switch role {
        case .probing: self.session.endUpgrade(self)
        case .serving: self.session.end(reason: .transportClose, .cut)
        case .closing: break
        }
        self.endRead()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.session.server.logger.debug("connection failed", metadata: ["socketio.error": "\(error)"])
        if case .serving = self.role { self.session.end(reason: .transportError, .cut) }
        context.close(promise: nil)
    }
}

extension WebSocketHandler: WheelClient {
    func wheelFired(now: UInt64) -> UInt64? {
        guard self.closeDeadline <= now else { return self.closeDeadline }
        self.context?.close(promise: nil)
        return nil
    }
}
