import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What matters of a request's head, found with one search for the end of each line.
struct RequestHead {
    var isPost = false
    var isPolling = false
    var session: UInt64?
    var contentLength = 0
    var key: UnsafeRawBufferPointer?
    /// The offset of the body.
    var end = 0

    /// Nil if the end of the head is not there.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        var start = 0
        while let newline = memchr(base + start, 0x0A, bytes.count - start) {
            let end = UnsafeRawPointer(newline) - base
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if start == 0 {
                self.readTarget(line)
            } else if line.count <= 1 {
                self.end = end + 1
                return
            } else {
                self.readField(line)
            }
            start = end + 1
        }
        return nil
    }

    /// `/socket.io/?EIO=4&transport=polling&sid=…`
    private mutating func readTarget(_ line: UnsafeRawBufferPointer) {
        guard let base = line.baseAddress, line.count > 0 else { return }
        self.isPost = line[0] == 0x50
        var index = 0
        while let ampersand = memchr(base + index, 0x26, line.count - index) {
            index = UnsafeRawPointer(ampersand) - base + 1
            if line.has("transport=polling", at: index) {
                self.isPolling = true
            } else if line.has("sid=", at: index) {
                self.session = line.hexNumber(at: index + 4)
            }
        }
    }

    private mutating func readField(_ line: UnsafeRawBufferPointer) {
        guard let base = line.baseAddress, line.count > 15 else { return }
        // Two of the fields count; the sixth bytes of their names tell them from most others.
        let sixth = line[5]
        if sixth == 0x6E || sixth == 0x4E, strncasecmp(base, "Content-Length:", 15) == 0 {
            for byte in line.dropFirst(15) where byte &- 0x30 < 10 {
                self.contentLength = (self.contentLength &* 10 &+ Int(byte - 0x30)) & 0xFFFF_FFFF
            }
        } else if sixth == 0x65 || sixth == 0x45, line.count >= 43, strncasecmp(base, "Sec-WebSocket-Key: ", 19) == 0 {
            self.key = UnsafeRawBufferPointer(start: base + 19, count: 24)
        }
    }
}

extension UnsafeRawBufferPointer {
    func has(_ text: StaticString, at index: Int) -> Bool {
        guard let base = self.baseAddress, self.count - index >= text.utf8CodeUnitCount else { return false }
        return memcmp(base + index, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    fileprivate func hexNumber(at start: Int) -> UInt64 {
        var value: UInt64 = 0
        for byte in self[start...] {
            switch byte {
            case 0x30...0x39: value = value &<< 4 | UInt64(byte &- 0x30)
            case 0x61...0x66: value = value &<< 4 | UInt64(byte &- 0x57)
            default: return value
            }
        }
        return value
    }
}

extension Connection {
    /// Answers the requests that are there in whole, up to one that opens a WebSocket.
    func answerRequests(_ input: UnsafeRawBufferPointer) -> Int? {
        var position = 0
        while !self.isWebSocket, position < input.count {
            let bytes = UnsafeRawBufferPointer(rebasing: input[position...])
            guard let head = RequestHead(bytes) else { break }
            if head.isPolling {
                guard bytes.count - head.end >= head.contentLength else { break }
                let body = UnsafeRawBufferPointer(rebasing: bytes[head.end..<head.end + head.contentLength])
                guard self.answerPoll(head, body) else { return nil }
                position += head.end + head.contentLength
            } else if let key = head.key {
                self.openWebSocket(key)
                position += head.end
            } else {
                return nil
            }
        }
        return position
    }

    private static let handshakeEnd: StaticString =
        #","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#

    private func openWebSocket(_ key: UnsafeRawBufferPointer) {
        self.isWebSocket = true
        self.write(512) { output in
            output.put("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            output.put("Sec-WebSocket-Accept: ")
            WebSocketAccept.put(key: key, into: &output)
            output.put("\r\n\r\n")
            output.putHeader(opcode: Frame.text, count: 25 + 15 + Self.handshakeEnd.utf8CodeUnitCount)
            output.put(#"0{"sid":""#)
            output.put(hex: self.loop.makeID())
            output.put(#"","upgrades":[]"#)
            output.put(Self.handshakeEnd)
        }
    }

    // MARK: Polling

    /// False for a session of another loop.
    private func answerPoll(_ head: RequestHead, _ body: UnsafeRawBufferPointer) -> Bool {
        guard let session = head.session else {
            self.openPollingSession()
            return true
        }
        let index = Int(session & 0xFFFF_FFFF)
        guard session &>> 32 == UInt64(self.loop.index), index < self.loop.pollingQueues.count else { return false }
        if !head.isPost {
            let count = self.loop.pollingQueues[index].readableBytes
            self.write(256 + count) { output in
                Self.putResponseHead(count, into: &output)
                self.loop.pollingQueues[index].withUnsafeReadableBytes { output.put($0) }
            }
            self.loop.pollingQueues[index].clear()
            return true
        }
        if self.loop.pollingQueues[index].readableBytes > 0 {
            self.loop.pollingQueues[index].writeInteger(0x1E as UInt8)
        }
        if body.count == 2, body[0] == 0x34, body[1] == 0x30 {
            self.loop.pollingQueues[index].writeStaticString(#"40{"sid":"0123456789abcdef"}"#)
        } else {
            self.loop.pollingQueues[index].writeBytes(body)
        }
        self.write(256) { output in
            Self.putResponseHead(2, into: &output)
            output.put("ok")
        }
        return true
    }

    private func openPollingSession() {
        let session = UInt64(self.loop.index) << 32 | UInt64(self.loop.pollingQueues.count)
        self.loop.pollingQueues.append(ByteBuffer())
        self.write(512) { output in
            Self.putResponseHead(25 + 26 + Self.handshakeEnd.utf8CodeUnitCount, into: &output)
            output.put(#"0{"sid":""#)
            output.put(hex: session)
            output.put(#"","upgrades":["websocket"]"#)
            output.put(Self.handshakeEnd)
        }
    }

    private static func putResponseHead(_ contentLength: Int, into output: inout Output) {
        output.put("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: ")
        output.put(decimal: contentLength)
        output.put("\r\n\r\n")
    }

    private func write(_ bound: Int, _ body: (inout Output) -> Void) {
        self.loop.output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { space in
            guard let base = space.baseAddress else { return 0 }
            var output = Output(base)
            body(&output)
            return output.count
        }
    }
}
