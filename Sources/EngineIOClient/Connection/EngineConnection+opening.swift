import EngineIOCore
import NIOCore

extension EngineConnection {
    func openNextTransport() {
        let transport = self.candidates.removeFirst()
        self.state.open(transport)
        self.timers.connect = self.schedule(self.configuration.connectTimeout) {
            $0.openingFailed(ErrorTranslation.timeout($0.configuration.url))
        }
        self.advance()
    }

    /// The handshake has not come. Another transport is tried if that is wanted and may help.
    func openingFailed(_ error: EngineClientError) {
        self.didUpgrade = false
        guard self.configuration.tryAllTransports, !self.candidates.isEmpty, !Self.concernsAll.contains(error.code)
        else {
            return self.end("transport error", error)
        }
        self.logger.debug(
            "trying the next transport",
            metadata: ["socketio.transport": "\(self.transport.rawValue)", "socketio.error": "\(error)"])
        self.timers.cancelAll()
        self.cutLinks()
        self.state.openingFailed()
        // Not from inside of what has failed.
        self.eventLoop.execute {
            if case .idle = self.state.phase { self.openNextTransport() }
        }
    }

    /// What no other transport would do better.
    private static let concernsAll: Set<EngineClientError.Code> = [
        .invalidConfiguration, .dnsFailure, .refused, .unreachable, .tlsCertificate, .tlsPin, .tlsClientCertificate,
        .tlsNotSpoken, .tlsFailed, .unsupportedProtocol,
    ]

    /// Takes the data of an open packet.
    func receiveHandshake(_ data: ByteBuffer) {
        guard let handshake = Handshake(json: data) else {
            return self.openingFailed(Refusal.noHandshake(data, url: self.configuration.url))
        }
        self.handshake = handshake
        self.timers.cancelAll()
        let canUpgrade =
            self.configuration.upgrade && self.configuration.transports.contains(.websocket)
            && handshake.upgrades.contains(Transport.websocket.rawValue)
        self.didUpgrade = self.transport == .websocket
        self.state.opened(canUpgrade: canUpgrade)
        self.liveness = Liveness(
            pingInterval: handshake.pingInterval, pingTimeout: handshake.pingTimeout, now: Self.now)
        self.armLiveness()
        self.handler?.engineOpened(handshake)
    }

    // MARK: Upgrade

    func openProbe() {
        let probe = WebSocketLink(dialer: self.dialer, owner: self)
        self.probe = probe
        self.timers.upgrade = self.schedule(self.configuration.upgradeTimeout) {
            $0.upgradeFailed(EngineClientError(.connectTimeout, "no upgrade within `upgradeTimeout`"))
        }
        self.open(probe, sid: self.handshake?.sid)
    }

    /// The session stays where it is.
    func upgradeFailed(_ error: EngineClientError?) {
        self.logger.debug(
            "upgrade failed, polling goes on", metadata: ["socketio.error": "\(error.map { "\($0)" } ?? "closed")"])
        self.timers.upgrade?.cancel()
        self.timers.upgrade = nil
        self.probe?.cut()
        self.probe = nil
        self.state.upgradeFailed()
        self.advance()
    }

    /// No request is under way and nothing was lost with one: from here on everything goes over the WebSocket.
    func switchTransport() {
        self.timers.upgrade?.cancel()
        self.timers.upgrade = nil
        guard let probe = self.probe else { return }
        self.probe = nil
        self.webSocket = probe
        var frame = ByteBuffer()
        EngineIOPacket.upgrade.appendMaskedFrame(key: self.maskKeys.next(), to: &frame)
        probe.write(frame)
        self.getLink?.close()
        self.getLink = nil
        self.postLink?.close()
        self.postLink = nil
        self.didUpgrade = true
        self.handler?.engineUpgraded()
    }

    func receiveWhileProbing(_ messages: [WebSocketMessage]) {
        for message in messages {
            switch message {
            case .text(let text):
                guard text.readableBytesView.elementsEqual("3probe".utf8), self.state.probeAnswered() else {
                    return self.upgradeFailed(
                        EngineClientError(.invalidPacket, "the probe was answered with \(Refusal.text(text))"))
                }
            case .binary:
                return self.upgradeFailed(EngineClientError(.invalidPacket, "the probe was answered with binary"))
            case .ping, .pong, .close: continue
            }
        }
        self.advance()
    }
}
