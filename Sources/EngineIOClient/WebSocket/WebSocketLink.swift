import EngineIOCore
import NIOCore

/// How a WebSocket ended that we did not cut.
enum WebSocketEnd {
    /// The server has closed it in good order, or has answered our close frame.
    case closed
    case failed(EngineClientError)
}

protocol WebSocketLinkOwner: AnyObject {
    func webSocketOpened(_ link: WebSocketLink)
    /// Whatever came in one read. The owner may cut the link in between.
    func webSocket(_ link: WebSocketLink, received messages: [WebSocketMessage])
    /// Something was written, so that there may be room for more.
    func webSocketWritten(_ link: WebSocketLink)
    /// Told once, never after ``WebSocketLink/cut()``.
    func webSocketEnded(_ link: WebSocketLink, _ end: WebSocketEnd)
}

/// One WebSocket, from the dialing to the end.
final class WebSocketLink {
    private let dialer: Dialer
    private let http: HTTPLink
    private let maxMessageBytes: Int
    private weak var owner: (any WebSocketLinkOwner)?
    private var handler: WebSocketChannelHandler?

    /// What the answer to a handshake may say.
    private static let maxRefusalBytes = 64 << 10

    init(dialer: Dialer, owner: any WebSocketLinkOwner) {
        self.dialer = dialer
        self.http = HTTPLink(dialer: dialer, maxBodyBytes: Self.maxRefusalBytes)
        self.maxMessageBytes = dialer.configuration.maxMessageBytes
        self.owner = owner
    }

    /// - Parameter stored: gets the headers of the answer.
    func open(_ builder: inout RequestBuilder, sid: String?, answered: @escaping (HTTPAnswer) -> Void) {
        let handshake = WebSocketHandshake()
        self.http.send(builder.webSocket(key: handshake.key, sid: sid)) { [weak self] result in
            guard let self else { return }
            switch result {
            case .success(let answer):
                answered(answer)
                self.complete(handshake, answer)
            case .failure(let error):
                self.end(.failed(error))
            }
        }
    }

    private func complete(_ handshake: WebSocketHandshake, _ answer: HTTPAnswer) {
        let (url, path) = (self.dialer.configuration.url, self.dialer.configuration.path)
        if let error = handshake.check(answer, url: url, path: path) {
            self.http.close()
            return self.end(.failed(error))
        }
        let handler = WebSocketChannelHandler(url: url, maxMessageBytes: self.maxMessageBytes)
        handler.link = self
        self.handler = handler
        do {
            try self.http.becomeWebSocket(handler) { [weak handler] in handler?.start() }
        } catch {
            self.end(.failed(ErrorTranslation.translate(error, url: url)))
        }
    }

    // MARK: Writing

    /// Whether NIO takes more at present.
    var isWritable: Bool { self.handler?.isWritable ?? false }

    /// Bytes that were written and not given to the system yet.
    var pendingBytes: Int { self.handler?.pendingBytes ?? 0 }

    /// Writes whole masked frames.
    func write(_ frames: ByteBuffer) { self.handler?.write(frames) }

    /// Asks the server for a sign of life.
    func ping() { self.handler?.write(WebSocketChannelHandler.frame(.ping, ByteBuffer())) }

    // MARK: Closing

    /// Sends a close frame behind what was written. The owner is told when the server has answered it.
    func close() {
        guard let handler = self.handler else { return self.cut() }
        handler.close(code: nil)
    }

    /// Ends at once; the owner is told nothing any more.
    func cut() {
        self.owner = nil
        self.http.close()
        self.handler?.cut()
        self.handler = nil
    }

    // MARK: Told by the handler

    func opened() { self.owner?.webSocketOpened(self) }

    func received(_ messages: [WebSocketMessage]) { self.owner?.webSocket(self, received: messages) }

    func written() { self.owner?.webSocketWritten(self) }

    func end(_ end: WebSocketEnd) {
        let owner = self.owner
        self.owner = nil
        self.handler = nil
        owner?.webSocketEnded(self, end)
    }
}

@available(*, unavailable)
extension WebSocketLink: Sendable {}
