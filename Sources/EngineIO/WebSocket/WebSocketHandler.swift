import EngineIOCore
import Logging
import NIOCore

/// The WebSocket end of a session: decodes frames in place, hands their messages over, and writes what waits in the outbox.
///
/// It is confined to its event loop, as every channel handler; see ``SessionEndpoint``.
final class WebSocketHandler: SessionEndpoint, @unchecked Sendable {

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
    @exclusivity(unchecked) private var direct: DirectSocket
    /// nil for nearly all.
    private let version3: WebSocketVersion3?

    /// What is handed to NIO at once. More waits in the outbox, where it is counted.
    private static let batchBytes = 64 << 10
    /// A frame up to this size is copied into one write with its neighbours; a larger one is written as it is.
    private static let coalescedFrameBytes = 4 << 10

    init(
        session: EngineIOSession, isProbing: Bool, version3: WebSocketVersion3?, maxPayload: Int, isDirect: Bool,
        loop: LoopContext
    ) {
        self.version3 = version3
        self.direct = DirectSocket(isAvailable: isDirect, isFresh: false)
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
        self.direct.forget()
        self.context = nil
        self.endRead()
    }

    // MARK: Reading

    /// What has come. Nothing of `bytes` is kept.
    func read(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if case .closing = self.role { return self.readWhileClosing(bytes) }
        self.loop.counts.webSocket.bytesReceived &+= bytes.readableBytes
        self.beginRead()
        do {
            if case .serving = self.role, let text = try self.decoder.decodeOnly(bytes, scratch: &self.loop.unmasked) {
                self.loop.counts.webSocket.packetsReceived &+= 1
                let isInside = self.session.enterGate()
                _ = self.session.receive(text: text, isInside: isInside, on: self.loop)
                if isInside { self.leaveGate() }
                return
            }
        } catch {
            return self.fail(error)
        }
        var messages = self.loop.messages.popLast() ?? []
        var failure: WebSocketError?
        do {
            try self.decoder.decode(bytes, scratch: &self.loop.unmasked, into: &messages)
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
                self.loop.counts.webSocket.packetsReceived &+= 1
                if case .probing = self.role {
                    self.probe(text)
                } else if case .ended = self.session.receive(text: text, isInside: isInside, on: self.loop) {
                    break reading
                }
            case .binary(let data):
                self.loop.counts.webSocket.packetsReceived &+= 1
                if case .probing = self.role {
                    self.endProbe()
                } else if self.version3 == nil {
                    _ = self.session.receive(.binary(data), isInside: isInside, on: self.loop)
                } else if case .ended = self.session.receiveVersion3(binary: data, isInside: isInside, on: self.loop) {
                    break reading
                }
            case .ping(let payload):
                // A client that floods pings and reads no pongs gets none until it reads again.
                guard self.isWritable else { continue }
                var pong = ByteBuffer()
                WebSocketFrame.append(opcode: .pong, payload: payload, to: &pong)
                self.writeAndFlush(pong, context)
            case .pong:
                continue
            case .close(let code, _):
                if isInside, self.session.throttle != nil, self.role == .serving {
                    self.closeInOrder(code)
                } else {
                    self.peerClosed(code)
                }
            }
            if case .closing = self.role { break reading }
        }
        if isInside { self.leaveGate() }
    }

    private func leaveGate() {
        if self.session.throttle != nil, self.role == .serving { self.pauseReading() }
        self.session.leaveGate(on: self.loop)
    }

    private func fail(_ error: WebSocketError) {
        var metadata: Logger.Metadata = ["socketio.closeCode": "\(error.closeCode)"]
        if error == .messageTooBig {
            metadata["socketio.limit"] = "maxPayload"
            self.session.server.metrics?.exceeded(.maxPayload)
        }
        self.session.server.logger.debug(
            "WebSocket closed: \(error.message)", metadata: self.session.metadata(metadata))
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
            if let context = self.context { self.writeAndFlush(answer, context) }
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
        var wrote = false
        if self.isWritable, self.role == .serving, var frames = session.takeOnly(for: self) {
            if let version3 = self.version3 { frames = version3.converted(frames, on: self.loop) }
            self.direct.send(&frames, context)
            if frames.readableBytes == 0 {
                self.loop.giveBack(spare: frames)
                self.isDraining = false
                self.report(context)
                return session.tellReady()
            }
            self.write(frames, nil, context)
            wrote = true
        }
        let rest = self.drain(session, context, wrote)
        self.isDraining = false
        self.report(context)
        session.tellReady()
        if rest == .closing, self.role == .serving { session.finishClosing(self) }
    }

    /// - Parameter wrote: whether the channel is to be flushed in any case.
    private func drain(
        _ session: EngineIOSession, _ context: ChannelHandlerContext, _ wrote: Bool
    ) -> SessionState.Rest {
        var wrote = wrote
        var rest = SessionState.Rest.more
        repeat {
            self.mustDrainAgain = false
            var spare: ByteBuffer?
            while self.isWritable, self.role == .serving {
                var frames = self.loop.frames
                self.loop.frames = []
                var completions: [@Sendable (Bool) -> Void] = []
                rest = session.takeFrames(
                    for: self, maxBytes: Self.batchBytes, into: &frames, completions: &completions)
                if let version3 = self.version3 { version3.convert(&frames, on: self.loop) }
                let isEmpty = frames.isEmpty
                if !isEmpty, self.write(&frames, completions, context) { wrote = true }
                if frames.count == 1 { spare = frames[0] }
                frames.removeAll(keepingCapacity: frames.count <= 1024)
                self.loop.frames = frames
                if isEmpty || rest != .more { break }
            }
            if wrote {
                wrote = false
                context.flush()
            }
            if let spare { self.loop.giveBack(spare: spare) }
        } while self.mustDrainAgain
        return rest
    }

    /// Returns whether the channel is to be flushed: often the system has taken it all already.
    private func write(
        _ frames: inout [ByteBuffer],
        _ completions: [@Sendable (Bool) -> Void],
        _ context: ChannelHandlerContext
    ) -> Bool {
        if frames.count == 1 {
            self.direct.send(&frames[0], context)
            if frames[0].readableBytes == 0 {
                for completion in completions { completion(true) }
                return false
            }
            self.write(frames[0], self.promise(completions, context), context)
            return true
        }
        // One write for many small frames: NIO and the system then see one buffer.
        var buffer = self.loop.coalesced
        self.loop.coalesced = ByteBuffer()
        buffer.clear()
        var wrote = false
        for frame in frames {
            if frame.readableBytes <= Self.coalescedFrameBytes {
                buffer.writeImmutableBuffer(frame)
            } else {
                if buffer.readableBytes > 0 {
                    self.write(buffer, nil, context)
                    buffer = context.channel.allocator.buffer(capacity: 0)
                }
                self.write(frame, nil, context)
                wrote = true
            }
        }
        if !wrote { self.direct.send(&buffer, context) }
        if buffer.readableBytes > 0 || wrote {
            self.write(buffer, self.promise(completions, context), context)
            wrote = true
        } else {
            for completion in completions { completion(true) }
        }
        self.loop.coalesced = buffer
        return wrote
    }

    private func promise(
        _ completions: [@Sendable (Bool) -> Void], _ context: ChannelHandlerContext
    ) -> EventLoopPromise<Void>? {
        guard !completions.isEmpty else { return nil }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { result in
            let isWritten = if case .success = result { true } else { false }
            // The socket may be closed already, and the channel still has to tell.
            if !isWritten { self.direct.forget() }
            for completion in completions { completion(isWritten) }
        }
        return written
    }

    /// Writes to the channel; from now on nothing may go past it before it has been flushed and is empty again.
    private func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        self.direct.wroteToChannel()
        context.write(NIOAny(bytes), promise: promise)
    }

    /// Writes a frame that does not come from the outbox.
    private func writeAndFlush(_ frame: ByteBuffer, _ context: ChannelHandlerContext) {
        self.write(frame, nil, context)
        context.flush()
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
        self.writeAndFlush(WebSocketFrame.close(code: code), context)
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
        self.writeAndFlush(WebSocketFrame.close(code: code), context)
        if wasProbing { self.session.endUpgrade(self) } else { self.session.end(reason: .transportClose, .cut) }
        context.close(promise: nil)
    }

    /// After our close frame only the client's counts, and that it comes to an end.
    private func readWhileClosing(_ bytes: ByteBuffer) {
        var messages: [WebSocketMessage] = []
        var isOver = false
        do { try self.decoder.decode(bytes, into: &messages) } catch { isOver = true }
        for case .close in messages { isOver = true }
        if isOver { self.context?.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.direct.forget()
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
        self.session.server.logger.debug(
            "connection failed", metadata: self.session.metadata(["socketio.error": "\(error)"]))
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
