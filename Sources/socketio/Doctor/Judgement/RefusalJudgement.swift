/// What an answer without success means, whatever was asked for.
enum RefusalJudgement {
    static func judge(_ step: Step, _ answer: ProbeAnswer, path: String) -> Finding {
        let said = answer.body.readableBytes == 0 ? "" : ": \(answer.excerpt)"
        let seen = "status \(answer.status)\(answer.server)\(said)"
        return .failure(step, seen, self.advice(answer, path: SafeText.escape(path)))
    }

    private static func advice(_ answer: ProbeAnswer, path: String) -> String {
        if answer.status == 400, let advice = self.advice(ofCode: answer.engineError?.code) { return advice }
        return switch answer.status {
        case 300...399: self.redirection(answer)
        case 401:
            "It wants to be shown who asks: add --header 'Authorization: …' or a cookie (in clients: `extraHeaders`)."
        case 403:
            answer.engineError == nil
                ? "What stands before the server (a firewall, a proxy's access rules) does not let this request in."
                : "The server refuses this request: look at its `allowRequest`, `cors` and the header it may want."
        case 404: self.notFound(answer, path)
        case 407: "A proxy on the way wants a password."
        case 413: "A message is larger than the server or its proxy takes (nginx: client_max_body_size)."
        case 429: "It limits how much one address may ask; wait a while, or raise the limit."
        case 500: "The server program has failed: look at its log."
        case 502, 503, 504, 521, 522, 523:
            """
            The proxy does not reach the server behind it: see that the server runs, and that the proxy has its right \
            address and port (nginx: proxy_pass).
            """
        case 400:
            "It does not understand the request; if it says that HTTP was sent to an HTTPS port, write https:// in the URL."
        default: "A Socket.IO server does not answer so: correct the port or --path."
        }
    }

    private static func advice(ofCode code: Int?) -> String? {
        switch code {
        case 0?: "The server does not offer this transport: allow it there (`transports`), or leave it out in clients."
        case 1?: "The request has come to a server that does not know the session: sessions must be sticky."
        case 3?: "A proxy may have changed the request, for one by dropping the Upgrade header."
        case 4?: "The server refuses this request: look at its `allowRequest`, `cors` and the header it may want."
        case 5?: "The server does not speak protocol 4, that of Socket.IO 3 and newer: update the older side."
        default: nil
        }
    }

    private static func redirection(_ answer: ProbeAnswer) -> String {
        guard let location = answer.first("location") else { return "Ask for the place that it redirects to." }
        let place = SafeText.escape(String(location.prefix(200)).split(separator: "?").first.map { String($0) } ?? "")
        return """
            It redirects to \(place). Clients do not follow that, least of all with WebSocket: give them the URL of that place, \
            or have the path excepted from the redirection.
            """
    }

    private static func notFound(_ answer: ProbeAnswer, _ path: String) -> String {
        if answer.text.contains("Cannot GET ") {
            return """
                An Express application answers that knows nothing of Socket.IO: give `new Server()` the HTTP server, and call \
                `listen` of that one and not of the application. If the path is another one, set --path.
                """
        }
        return """
            Nothing is at \(path): set --path (in clients: `path`) to that of the server, have the proxy pass \(path) on \
            unchanged, or attach Socket.IO to the HTTP server that listens at this port.
            """
    }
}
