import NIOCore

/// Turns the bytes of a connection into WebSocket messages (RFC 6455, no extensions).
///
/// Whole frames are unmasked where they lie, by words, and handed out as slices. If the storage of a read has another
/// owner (the pooled receive buffers of NIO always have), the unmasked bytes go to a scratch buffer instead, which is
/// the one copy. A frame that a read cuts in two is collected, unmasked on the way. What is reserved for it is
/// bounded by the bytes received and 16 KiB more, rounded up to a power of two, whatever length it declares. An idle
/// decoder holds no buffer.
package struct WebSocketDecoder: Sendable {
    private let expectsMask: Bool
    private var admission: WebSocketAdmission

    /// A header, or a control frame, of which a part is missing: at most 139 bytes.
    private var stash = ByteBuffer()
    /// The data frame whose payload is being received, and how much of it came.
    private var partial: (header: WebSocketFrameHeader, received: Int)?
    /// The payload received so far of the message that `assembledOpcode` began.
    private var assembly = ByteBuffer()
    private var assembledOpcode = WebSocketOpcode.continuation

    /// Whether a close frame or an error ended the stream of messages; later bytes are ignored.
    package private(set) var isFinished = false

    /// What a declared length may reserve beyond the bytes at hand.
    private static let speculativeReserve = 16_384
    /// A scratch buffer larger than this is not kept.
    private static let maxScratchBytes = 131_072

    /// - Parameters:
    ///   - maxMessageBytes: the most payload bytes of one message, all its fragments together; at most 1 GiB.
    ///   - maxFragments: the most frames of one message.
    ///   - expectsMask: true for the server's side, where frames must be masked; false for the client's, where they
    ///     must not be.
    package init(maxMessageBytes: Int, maxFragments: Int = 1024, expectsMask: Bool = true) {
        self.expectsMask = expectsMask
        self.admission = WebSocketAdmission(
            maxMessageBytes: max(0, min(maxMessageBytes, 1 << 30)),
            maxFragments: max(1, maxFragments)
        )
    }

    /// Appends the messages that `bytes` completes to `messages`.
    ///
    /// Messages before a violation are in `messages` when it throws. Nothing is decoded after an error or a close
    /// frame.
    package mutating func decode(
        _ bytes: consuming ByteBuffer,
        into messages: inout [WebSocketMessage]
    ) throws(WebSocketError) {
        var scratch = ByteBuffer()
        try self.decode(bytes, scratch: &scratch, into: &messages)
    }

    /// As ``decode(_:into:)``, with a buffer to unmask into that is used again.
    ///
    /// - Parameter scratch: one for an event loop is enough. Its storage is used again as soon as no message refers
    ///   to it, so empty `messages` before the next call; if one still does, a new buffer takes its place.
    package mutating func decode(
        _ bytes: consuming ByteBuffer,
        scratch: inout ByteBuffer,
        into messages: inout [WebSocketMessage]
    ) throws(WebSocketError) {
        var bytes = bytes
        while bytes.readableBytes > 0, !self.isFinished {
            do throws(WebSocketError) {
                if self.partial != nil {
                    self.receivePartial(&bytes)
                    try self.finishPartial(&messages)
                } else if self.stash.readableBytes > 0 {
                    try self.completeStash(&bytes, &messages)
                } else {
                    try self.decodeWholeFrames(&bytes, &scratch, &messages)
                    if !self.isFinished { try self.keepRest(&bytes) }
                }
            } catch {
                self.finish()
                throw error
            }
        }
    }

    /// The message of `bytes` if they are one whole text frame and nothing else, which is what most reads bring; nil otherwise, and
    /// nothing has happened then.
    ///
    /// - Parameter scratch: as for ``decode(_:scratch:into:)``.
    package mutating func decodeOnly(
        _ bytes: ByteBuffer, scratch: inout ByteBuffer
    ) throws(WebSocketError) -> ByteBuffer? {
        guard self.expectsMask, self.partial == nil, self.stash.readableBytes == 0, !self.isFinished else { return nil }
        let parsed = bytes.withUnsafeReadableBytes { WebSocketFrameHeader.parse($0, expectsMask: true) }
        guard case .header(let header) = parsed, header.opcode == .text, header.isFinal,
            header.payloadLength == bytes.readableBytes - header.length
        else { return nil }
        do throws(WebSocketError) {
            if let violation = self.admission.admit(header) { throw violation }
            Self.clear(&scratch, for: header.payloadLength)
            var isValid = true
            scratch.writeWithUnsafeMutableBytes(minimumWritableBytes: header.payloadLength) { target in
                guard header.payloadLength > 0, let base = target.baseAddress else { return 0 }
                bytes.withUnsafeReadableBytes {
                    WebSocketMask.apply(
                        header.maskingKey, from: UnsafeRawBufferPointer(rebasing: $0[header.length...]), to: base)
                }
                isValid = UTF8Validation.isValid(UnsafeRawBufferPointer(start: base, count: header.payloadLength))
                return header.payloadLength
            }
            guard isValid else { throw .invalidUTF8 }
        } catch {
            self.finish()
            throw error
        }
        let text = scratch
        if scratch.capacity > Self.maxScratchBytes { scratch = ByteBuffer() }
        return text
    }

    /// Empties a scratch buffer, or makes a new one if a message refers to it.
    private static func clear(_ scratch: inout ByteBuffer, for length: Int) {
        let isReusable: Void? = scratch.modifyIfUniquelyOwned { $0.clear(minimumCapacity: length) }
        if isReusable == nil { scratch = ByteBufferAllocator().buffer(capacity: max(length, 2048)) }
    }

    private mutating func finish() {
        self.isFinished = true
        self.partial = nil
        self.stash = ByteBuffer()
        self.assembly = ByteBuffer()
    }
}

// MARK: - Frames that are there as a whole

extension WebSocketDecoder {
    /// Where the payload of a frame lies, counted from the first byte of the first frame.
    private struct WholeFrame {
        var offset: Int
        var length: Int
        var opcode: WebSocketOpcode
        var isFinal: Bool
        /// False only for an unfragmented text message that is not UTF-8.
        var isValid: Bool
    }

    private mutating func decodeWholeFrames(
        _ bytes: inout ByteBuffer,
        _ scratch: inout ByteBuffer,
        _ messages: inout [WebSocketMessage]
    ) throws(WebSocketError) {
        let (count, length, violation) = self.admitWholeFrames(bytes)
        if count > 0 {
            // All are unmasked before the first slice is taken: a slice would make the storage shared.
            let failure = withUnsafeTemporaryAllocation(of: WholeFrame.self, capacity: count) { list in
                let (buffer, listed) = self.takeUnmasked(&bytes, length: length, &scratch, into: list)
                for frame in UnsafeMutableBufferPointer(rebasing: list[..<listed]) {
                    let start = buffer.readerIndex + frame.offset
                    guard let payload = buffer.getSlice(at: start, length: frame.length) else { break }
                    do throws(WebSocketError) {
                        guard frame.isValid else { throw .invalidUTF8 }
                        try self.receive(frame.opcode, isFinal: frame.isFinal, payload, &messages)
                    } catch {
                        return error as WebSocketError?
                    }
                }
                return nil
            }
            if let failure { throw failure }
        }
        if let violation { throw violation }
    }

    /// Checks the headers of the frames that are there as a whole, up to the first violation or close frame.
    private mutating func admitWholeFrames(
        _ bytes: ByteBuffer
    ) -> (count: Int, length: Int, violation: WebSocketError?) {
        bytes.withUnsafeReadableBytes { all in
            var count = 0
            var offset = 0
            while true {
                let rest = UnsafeRawBufferPointer(rebasing: all[offset...])
                switch WebSocketFrameHeader.parse(rest, expectsMask: self.expectsMask) {
                case .incomplete:
                    return (count, offset, nil)
                case .invalid(let violation):
                    return (count, offset, violation)
                case .header(let header):
                    // A frame that is not whole is admitted when its turn comes, in `keepRest`.
                    guard header.payloadLength <= rest.count - header.length else { return (count, offset, nil) }
                    if let violation = self.admission.admit(header) { return (count, offset, violation) }
                    count += 1
                    offset += header.length + header.payloadLength
                    if header.opcode == .close { return (count, offset, nil) }
                }
            }
        }
    }

    /// Takes `length` bytes of admitted frames off `bytes`, unmasks them and lists them in `list`, which has room for
    /// all.
    ///
    /// Returns the buffer that the offsets of the list belong to, and the number of frames listed.
    private func takeUnmasked(
        _ bytes: inout ByteBuffer,
        length: Int,
        _ scratch: inout ByteBuffer,
        into list: UnsafeMutableBufferPointer<WholeFrame>
    ) -> (buffer: ByteBuffer, listed: Int) {
        guard self.expectsMask else {
            let listed = bytes.withUnsafeReadableBytes {
                Self.walk(UnsafeRawBufferPointer(rebasing: $0[..<length]), unmaskingTo: nil, list)
            }
            return (bytes.readSlice(length: length) ?? ByteBuffer(), listed)
        }
        let listedInPlace: Int? = bytes.modifyIfUniquelyOwned { buffer in
            buffer.withUnsafeMutableReadableBytes { all in
                let frames = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(all)[..<length])
                return Self.walk(frames, unmaskingTo: all.baseAddress, list)
            }
        }
        if let listedInPlace { return (bytes.readSlice(length: length) ?? ByteBuffer(), listedInPlace) }

        Self.clear(&scratch, for: length)
        var listed = 0
        scratch.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target in
            listed = bytes.withUnsafeReadableBytes {
                Self.walk(UnsafeRawBufferPointer(rebasing: $0[..<length]), unmaskingTo: target.baseAddress, list)
            }
            return length
        }
        bytes.moveReaderIndex(forwardBy: length)
        let buffer = scratch
        if scratch.capacity > Self.maxScratchBytes { scratch = ByteBuffer() }
        return (buffer, listed)
    }

    /// Lists admitted frames; their payloads are written to `target` unmasked, at the offsets they have in `frames`.
    private static func walk(
        _ frames: UnsafeRawBufferPointer,
        unmaskingTo target: UnsafeMutableRawPointer?,
        _ list: UnsafeMutableBufferPointer<WholeFrame>
    ) -> Int {
        var listed = 0
        var offset = 0
        while offset < frames.count, listed < list.count {
            let rest = UnsafeRawBufferPointer(rebasing: frames[offset...])
            guard case .header(let header) = WebSocketFrameHeader.parse(rest, expectsMask: target != nil),
                header.payloadLength <= rest.count - header.length
            else { break }
            let start = offset + header.length
            offset = start + header.payloadLength
            var payload = UnsafeRawBufferPointer(rebasing: frames[start..<offset])
            if let target {
                WebSocketMask.apply(header.maskingKey, from: payload, to: target + start)
                payload = UnsafeRawBufferPointer(start: target + start, count: payload.count)
            }
            let frame = WholeFrame(
                offset: start,
                length: header.payloadLength,
                opcode: header.opcode,
                isFinal: header.isFinal,
                isValid: header.opcode != .text || !header.isFinal || UTF8Validation.isValid(payload)
            )
            list.initializeElement(at: listed, to: frame)
            listed += 1
        }
        return listed
    }
}

// MARK: - Frames that arrive in pieces

extension WebSocketDecoder {
    /// Keeps what a read left behind its last whole frame, which is the beginning of another.
    private mutating func keepRest(_ bytes: inout ByteBuffer) throws(WebSocketError) {
        guard bytes.readableBytes > 0 else { return }
        let expectsMask = self.expectsMask
        let parsed = bytes.withUnsafeReadableBytes { WebSocketFrameHeader.parse($0, expectsMask: expectsMask) }
        if case .header(let header) = parsed, !header.opcode.isControl {
            bytes.moveReaderIndex(forwardBy: header.length)
            try self.beginPartial(header, available: bytes.readableBytes)
        } else {
            self.stash.writeBuffer(&bytes)
        }
    }

    /// Adds to the stash until its header, or its control frame, is whole, and goes on from there.
    private mutating func completeStash(
        _ bytes: inout ByteBuffer,
        _ messages: inout [WebSocketMessage]
    ) throws(WebSocketError) {
        while true {
            let expectsMask = self.expectsMask
            let parsed = self.stash.withUnsafeReadableBytes {
                WebSocketFrameHeader.parse($0, expectsMask: expectsMask)
            }
            let needed: Int
            switch parsed {
            case .invalid(let violation):
                throw violation
            case .incomplete(let length):
                needed = length
            case .header(let header) where !header.opcode.isControl:
                self.stash = ByteBuffer()
                try self.beginPartial(header, available: bytes.readableBytes)
                // An empty payload is complete without a further byte.
                return try self.finishPartial(&messages)
            case .header(let header):
                needed = header.length + header.payloadLength
                if self.stash.readableBytes >= needed {
                    var frame = ByteBuffer()
                    swap(&frame, &self.stash)
                    frame.moveReaderIndex(forwardBy: header.length)
                    frame.withUnsafeMutableReadableBytes { payload in
                        guard let base = payload.baseAddress else { return }
                        WebSocketMask.apply(header.maskingKey, from: UnsafeRawBufferPointer(payload), to: base)
                    }
                    return try self.receiveControl(header.opcode, frame, &messages)
                }
            }
            let missing = min(needed - self.stash.readableBytes, bytes.readableBytes)
            guard missing > 0, var piece = bytes.readSlice(length: missing) else { return }
            self.stash.writeBuffer(&piece)
        }
    }

    private mutating func beginPartial(_ header: WebSocketFrameHeader, available: Int) throws(WebSocketError) {
        if let violation = self.admission.admit(header) { throw violation }
        if header.opcode != .continuation { self.assembledOpcode = header.opcode }
        self.assembly.reserveCapacity(
            minimumWritableBytes: min(header.payloadLength, available + Self.speculativeReserve)
        )
        self.partial = (header, 0)
    }

    private mutating func receivePartial(_ bytes: inout ByteBuffer) {
        guard let (header, received) = self.partial else { return }
        let count = min(header.payloadLength - received, bytes.readableBytes)
        guard count > 0 else { return }
        let key = WebSocketMask.rotate(header.maskingKey, by: received)
        self.assembly.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            guard let base = target.baseAddress else { return 0 }
            bytes.withUnsafeReadableBytes {
                WebSocketMask.apply(key, from: UnsafeRawBufferPointer(rebasing: $0[..<count]), to: base)
            }
            return count
        }
        bytes.moveReaderIndex(forwardBy: count)
        self.partial = (header, received + count)
    }

    private mutating func finishPartial(_ messages: inout [WebSocketMessage]) throws(WebSocketError) {
        guard let (header, received) = self.partial, received >= header.payloadLength else { return }
        self.partial = nil
        if header.isFinal { try self.deliverAssembly(&messages) }
    }
}

// MARK: - Messages

extension WebSocketDecoder {
    /// Takes a whole, unmasked, admitted frame. An unfragmented text was validated.
    private mutating func receive(
        _ opcode: WebSocketOpcode,
        isFinal: Bool,
        _ payload: ByteBuffer,
        _ messages: inout [WebSocketMessage]
    ) throws(WebSocketError) {
        switch opcode {
        case .text where isFinal:
            messages.append(.text(payload))
        case .binary where isFinal:
            messages.append(.binary(payload))
        case .text, .binary:
            self.assembledOpcode = opcode
            self.assembly.writeImmutableBuffer(payload)
        case .continuation:
            self.assembly.writeImmutableBuffer(payload)
            if isFinal { try self.deliverAssembly(&messages) }
        case .close, .ping, .pong:
            try self.receiveControl(opcode, payload, &messages)
        }
    }

    private mutating func receiveControl(
        _ opcode: WebSocketOpcode,
        _ payload: ByteBuffer,
        _ messages: inout [WebSocketMessage]
    ) throws(WebSocketError) {
        switch opcode {
        case .ping:
            messages.append(.ping(payload))
        case .pong:
            messages.append(.pong(payload))
        case .close:
            messages.append(try Self.close(payload))
            self.finish()
        case .continuation, .text, .binary:
            break
        }
    }

    private mutating func deliverAssembly(_ messages: inout [WebSocketMessage]) throws(WebSocketError) {
        var payload = ByteBuffer()
        swap(&payload, &self.assembly)
        if self.assembledOpcode == .text {
            guard UTF8Validation.isValid(payload) else { throw .invalidUTF8 }
            messages.append(.text(payload))
        } else {
            messages.append(.binary(payload))
        }
    }

    private static func close(_ payload: ByteBuffer) throws(WebSocketError) -> WebSocketMessage {
        var reason = payload
        guard reason.readableBytes > 0 else { return .close(code: nil, reason: reason) }
        guard let code = reason.readInteger(as: UInt16.self) else { throw .closePayloadTooShort }
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .invalidCloseCode
        }
        guard UTF8Validation.isValid(reason) else { throw .invalidUTF8 }
        return .close(code: code, reason: reason)
    }
}
