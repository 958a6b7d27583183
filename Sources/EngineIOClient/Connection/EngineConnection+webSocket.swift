import EngineIOCore
import NIOCore

extension EngineConnection: WebSocketLinkOwner {
    /// What is masked into one write.
    private static let batchBytes = 64 << 10

    func openWebSocket() {
        let link = WebSocketLink(dialer: self.dialer, owner: self)
        self.webSocket = link
        self.open(link, sid: nil)
    }

    func open(_ link: WebSocketLink, sid: String?) {
        guard var requests = self.requests else { return }
        link.open(&requests, sid: sid) { [weak self] answer in self?.requests?.store(answer.head.headers) }
        self.requests = requests
    }

    func write() {
        let frames = self.outbox.takeFrames(maxBytes: Self.batchBytes, keys: &self.maskKeys)
        self.webSocket?.write(frames)
    }

    func webSocketOpened(_ link: WebSocketLink) {
        guard link === self.probe, self.state.probeOpened() else { return }
        var frame = ByteBuffer()
        EngineIOPacket.ping(ByteBuffer(string: "probe")).appendMaskedFrame(key: self.maskKeys.next(), to: &frame)
        link.write(frame)
    }

    func webSocketWritten(_ link: WebSocketLink) {
        guard link === self.webSocket else { return }
        self.updateCongestion()
        // Not from inside of a write, which has its own loop.
        self.advance()
    }

    func webSocket(_ link: WebSocketLink, received messages: [WebSocketMessage]) {
        if link === self.probe { return self.receiveWhileProbing(messages) }
        guard link === self.webSocket else { return }
        self.heard()
        for message in messages {
            guard self.handler != nil, link === self.webSocket else { return }
            switch message {
            case .text(let text): self.receive(text: text)
            case .binary(let data):
                if case .opening = self.state.phase {
                    self.openingFailed(Refusal.noHandshake(data, url: self.configuration.url))
                } else {
                    self.receive(.binary(data))
                }
            case .ping, .pong, .close: continue
            }
        }
        self.advance()
    }

    private func receive(text: ByteBuffer) {
        do {
            let packet = try EngineIOPacket.decode(text: text)
            guard case .opening = self.state.phase else { return self.receive(packet) }
            guard case .open(let data) = packet else {
                return self.openingFailed(Refusal.noHandshake(text, url: self.configuration.url))
            }
            self.receiveHandshake(data)
        } catch {
            if case .opening = self.state.phase {
                self.openingFailed(Refusal.noHandshake(text, url: self.configuration.url))
            } else {
                self.receivedInvalid(error)
            }
        }
    }

    func webSocketEnded(_ link: WebSocketLink, _ end: WebSocketEnd) {
        let error: EngineClientError? = if case .failed(let error) = end { error } else { nil }
        if link === self.probe { return self.upgradeFailed(error) }
        guard link === self.webSocket else { return }
        self.webSocket = nil
        switch self.state.phase {
        case .opening:
            self.openingFailed(error ?? ErrorTranslation.closed(self.configuration.url, isHandshaken: true))
        case .open:
            let isClose = error == nil || error?.code == .connectionLost || error?.code == .closedByServer
            self.end(isClose ? "transport close" : "transport error", error)
        case .closing: self.end("forced close", nil)
        case .idle, .closed: break
        }
    }
}
