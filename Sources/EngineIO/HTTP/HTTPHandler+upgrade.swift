import EngineIOCore
import NIOCore
import NIOHTTP1

extension HTTPHandler {
    /// A client opens a session by WebSocket.
    func openWebSocket(_ request: EngineIORequest, id: String, _ dialect: SessionDialect?) {
        self.switchProtocols(isNew: true, usesBase64: dialect?.usesBase64 ?? false) {
            self.newSession(request, id: id, dialect, isWebSocket: true)
        } start: { session, webSocket in
            if !session.attach(webSocket) { webSocket.refuse() }
        }
    }

    /// A client wants to move a polling session to a WebSocket. For a session that is moving or has moved already the WebSocket
    /// is closed again.
    ///
    /// - Parameter usesBase64: what a client of protocol 3 asks for.
    func upgrade(_ session: EngineIOSession, usesBase64: Bool) {
        self.switchProtocols(isNew: false, usesBase64: usesBase64) {
            session
        } start: { session, webSocket in
            if !session.beginUpgrade(webSocket) { webSocket.refuse() }
        }
    }

    /// Answers 101, then makes the WebSocket end of a session.
    private func switchProtocols(
        isNew: Bool,
        usesBase64: Bool,
        _ session: () -> EngineIOSession?,
        start: (EngineIOSession, WebSocketHandler) -> Void
    ) {
        guard let transport = self.transport, let head = self.head else { return }
        self.activity = .waiting
        guard let accept = WebSocketAccept.value(for: head) else {
            return self.refuse(.badRequest, ["name": "WEBSOCKET_HANDSHAKE_ERROR"], isUpgrade: true)
        }
        guard let session = session() else { return }
        var headers = HTTPHeaders()
        headers.reserveCapacity(3)
        headers.add(name: "upgrade", value: "websocket")
        headers.add(name: "connection", value: "upgrade")
        headers.add(name: "sec-websocket-accept", value: accept)
        if self.server.configuration.hasHeaderHooks {
            self.applyHeaderHooks(&headers, self.makeRequest(head))
            guard HTTPResponse(status: .switchingProtocols, headers: headers, body: .none).isValid else {
                if isNew { session.end(reason: .transportError, .cut) }
                return self.respond(status: .internalServerError, closing: true)
            }
        }
        let webSocket = WebSocketHandler(
            session: session,
            isProbing: !isNew,
            version3: WebSocketVersion3(session, usesBase64: usesBase64),
            maxPayload: self.server.configuration.maxPayload,
            isDirect: transport.isDirect,
            loop: self.loop
        )
        self.upgraded()
        transport.switchProtocols(headers, to: webSocket) { start(session, webSocket) }
    }
}

extension WebSocketAccept {
    /// Checks what a request for an upgrade must say (RFC 6455 §4.2.1) and computes the proof; nil for a request that does not.
    static func value(for head: RequestHead) -> String? {
        guard head.method == .get, !head.isHTTP10, head.wantsWebSocket else { return nil }
        let keys = head.values("sec-websocket-key")
        guard keys.count == 1, Self.isKey(keys[0]), head.values("sec-websocket-version") == ["13"] else { return nil }
        return Self.value(forKey: keys[0])
    }
}
