import EngineIOCore
import NIOCore
import NIOHTTP1

/// The opening handshake of a WebSocket (RFC 6455 §4.1), from the client's side.
struct WebSocketHandshake {
    let key = WebSocketAccept.randomKey()

    /// Nil if the server has agreed.
    func check(_ answer: HTTPAnswer, url: EngineURL, path: String) -> EngineClientError? {
        let headers = answer.head.headers
        guard answer.head.status == .switchingProtocols else {
            if (200...299).contains(answer.head.status.code) {
                // A web page, say. A session that begins is the right server behind something that knows no WebSocket.
                guard answer.body.readableBytesView.starts(with: "0{".utf8) else {
                    return Refusal.noHandshake(answer.body, url: url)
                }
                return Self.wrong(
                    url, "has answered with status \(answer.head.status.code) instead of 101",
                    serverMessage: Refusal.text(answer.body))
            }
            return Refusal.status(answer, url: url, path: path)
        }
        guard headers[canonicalForm: "upgrade"].contains(where: { $0.lowercased() == "websocket" }),
            headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" })
        else { return Self.wrong(url, "has switched to another protocol") }
        guard headers["sec-websocket-accept"] == [WebSocketAccept.value(forKey: self.key)] else {
            return Self.wrong(url, "has sent a wrong Sec-WebSocket-Accept, as if it had not read the request")
        }
        guard headers["sec-websocket-extensions"].isEmpty, headers["sec-websocket-protocol"].isEmpty else {
            return Self.wrong(url, "uses an extension or a subprotocol that was not offered")
        }
        return nil
    }

    private static func wrong(_ url: EngineURL, _ what: String, serverMessage: String? = nil) -> EngineClientError {
        EngineClientError(
            .webSocketHandshake,
            "\(url.origin) \(what); does what stands before the server let WebSockets through?",
            serverMessage: serverMessage)
    }
}
