import EngineIOCore
import NIOCore
import NIOHTTP1
import NIOWebSocket

extension HTTPHandler {
    /// A client opens a session by WebSocket.
    func openWebSocket(_ request: EngineIORequest, id: String) {
        self.switchProtocols(isNew: true) {
            $0.newSession(request, id: id, isWebSocket: true)
        } start: { session, webSocket in
            if !session.attach(webSocket) { webSocket.refuse() }
        }
    }

    /// A client wants to move a polling session to a WebSocket. For a session that is moving or has moved already the WebSocket
    /// is closed again.
    func upgrade(_ session: EngineIOSession) {
        self.switchProtocols(isNew: false) { _ in
            session
        } start: { session, webSocket in
            if !session.beginUpgrade(webSocket) { webSocket.refuse() }
        }
    }

    /// Answers 101, then makes the WebSocket end of a session.
    private func switchProtocols(
        isNew: Bool,
        _ session: @escaping (HTTPHandler) -> EngineIOSession?,
        start: @escaping (EngineIOSession, WebSocketHandler) -> Void
    ) {
        guard let context = self.context, let head = self.head else { return }
        self.activity = .waiting
        let response = Self.upgrader.buildUpgradeResponse(
            channel: context.channel, upgradeRequest: head, initialResponseHeaders: HTTPHeaders())
        response.assumeIsolated().whenComplete { result in
            guard let context = self.context, case .waiting = self.activity else { return }
            guard case .success(var headers) = result else {
                return self.refuse(.badRequest, ["name": "WEBSOCKET_HANDSHAKE_ERROR"], isUpgrade: true)
            }
            guard let session = session(self) else { return }
            if self.server.configuration.hasHeaderHooks {
                self.applyHeaderHooks(&headers, self.makeRequest(head, QueryParameters(uri: head.uri)))
            }
            let responseHead = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
            context.write(Self.wrapOutboundOut(.head(responseHead)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            let webSocket = WebSocketHandler(
                session: session,
                isProbing: !isNew,
                maxPayload: self.server.configuration.maxPayload,
                loop: self.loop
            )
            do {
                try self.becomeWebSocket(webSocket)
            } catch {
                if isNew { session.end(reason: .transportError, .cut) }
                context.close(promise: nil)
                return
            }
            start(session, webSocket)
        }
    }

    /// Checks the handshake and computes its answer; it never touches a pipeline.
    private static let upgrader = NIOWebSocketServerUpgrader(
        shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
        upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() }
    )
}
