/// The rules that span frames: order of fragments, size and number of fragments of a message.
struct WebSocketAdmission {
    let maxMessageBytes: Int
    let maxFragments: Int
    private var isInsideMessage = false
    private var messageBytes = 0
    private var fragments = 0

    init(maxMessageBytes: Int, maxFragments: Int) {
        self.maxMessageBytes = maxMessageBytes
        self.maxFragments = maxFragments
    }

    /// Counts a frame by its header, before its payload is there.
    @inline(__always)
    mutating func admit(_ header: WebSocketFrameHeader) -> WebSocketError? {
        switch header.opcode {
        case .close, .ping, .pong:
            return nil
        case .text, .binary:
            guard !self.isInsideMessage else { return .expectedContinuation }
            guard header.payloadLength <= self.maxMessageBytes else { return .messageTooBig }
            if !header.isFinal {
                self.isInsideMessage = true
                self.messageBytes = header.payloadLength
                self.fragments = 1
            }
            return nil
        case .continuation:
            guard self.isInsideMessage else { return .unexpectedContinuation }
            guard header.payloadLength <= self.maxMessageBytes - self.messageBytes else { return .messageTooBig }
            guard self.fragments < self.maxFragments else { return .tooManyFragments }
            self.fragments += 1
            self.messageBytes += header.payloadLength
            if header.isFinal { self.isInsideMessage = false }
            return nil
        }
    }
}
