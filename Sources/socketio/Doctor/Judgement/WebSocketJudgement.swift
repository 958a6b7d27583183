/// What the answer to a WebSocket handshake means, and what came behind it.
enum WebSocketJudgement {
    static let proxyAdvice = """
        Something on the way drops the Upgrade header. nginx needs: proxy_http_version 1.1; proxy_set_header Upgrade \
        $http_upgrade; proxy_set_header Connection "upgrade"; Apache needs mod_proxy_wstunnel, others a setting for \
        WebSocket. Until then clients stay on polling.
        """

    /// Answered, but not with 101.
    static func refused(_ step: Step, _ answer: ProbeAnswer, path: String, isPollingFine: Bool) -> Finding {
        let said = answer.body.readableBytes == 0 ? "" : ": \(answer.excerpt)"
        let seen = "status \(answer.status) instead of 101\(answer.server)\(said)"
        if answer.status == 101 {
            return .failure(
                step, "101, but with a Sec-WebSocket-Accept that does not belong to the request",
                "Something between here and there answers by itself or from a cache: except the path from it.")
        }
        switch (answer.status, answer.engineError?.code) {
        case (400, 1?):
            return .failure(
                step, seen,
                "The request came to another server than that of the session: sessions must be sticky, WebSockets too.")
        case (400, 0?):
            return .warning(
                step, seen,
                "The server does not offer WebSocket: allow it there (`transports`) for less load and delay.")
        case (400, 5?), (400, 4?), (403, 4?): return RefusalJudgement.judge(step, answer, path: path)
        case (200...299, _), (426, _): return .failure(step, seen, self.proxyAdvice)
        // The server has got a request that asks for no WebSocket any more.
        case (400, _), (404, _), (405, _), (501, _):
            return .failure(
                step, seen,
                isPollingFine ? self.proxyAdvice : RefusalJudgement.judge(step, answer, path: path).advice ?? "")
        default:
            var finding = RefusalJudgement.judge(step, answer, path: path)
            finding.seen = seen
            return finding
        }
    }

    static func failed(_ step: Step, _ failure: WireFailure) -> Finding {
        switch failure {
        case .timeout:
            .failure(step, "the WebSocket handshake was not answered in time", self.proxyAdvice)
        case .closed:
            .failure(
                step, "the connection was closed instead of an answer to the WebSocket handshake", self.proxyAdvice)
        default: .failure(step, "the WebSocket handshake \(failure.words)", self.proxyAdvice)
        }
    }

    /// - Parameter text: the first message over the WebSocket; nil if there was none.
    static func direct(_ text: String?) -> Finding {
        guard let text else {
            return .failure(
                .webSocket, "101, and then nothing",
                "A proxy agrees to WebSockets and does not pass on what comes over them: look at its settings for the path."
            )
        }
        guard text.hasPrefix("0{") else {
            return .failure(
                .webSocket, "101, and then no handshake: \(SafeText.quote(String(text.prefix(80))))",
                "Another WebSocket server answers there: correct the port or --path.")
        }
        return .ok(.webSocket, "101, and a session over WebSocket from the start")
    }

    /// - Parameter text: the answer to the probe; nil if there was none.
    static func upgrade(_ text: String?) -> Finding {
        if text == "3probe" { return .ok(.upgrade, "a session that began with polling has got its WebSocket") }
        let seen = text.map { "with \(SafeText.quote(String($0.prefix(80))))" } ?? "not"
        return .failure(
            .upgrade, "101, but the probe of the new transport was answered \(seen)",
            """
            Does a proxy hold back what comes over WebSockets, or does the request come to another server than that of the \
            session? Clients stay on polling as long.
            """)
    }

    static func notOffered(_ hasWebSocket: Bool) -> Finding {
        if hasWebSocket {
            return .skipped(.upgrade, "the server offers none (`allowUpgrades` is off)")
        }
        return .warning(
            .upgrade, "the server offers no upgrade to WebSocket",
            """
            Allow it there (`transports`, `allowUpgrades`); a server in Python may lack a package or a mode that can do \
            WebSocket (simple-websocket, eventlet, gevent-websocket, ASGI).
            """)
    }
}
