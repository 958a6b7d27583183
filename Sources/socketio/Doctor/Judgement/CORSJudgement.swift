import EngineIOClient

/// Whether browsers let a page of another origin connect.
enum CORSJudgement {
    struct Answers: Sendable {
        /// To a handshake with the page's origin.
        var simple: ProbeAnswer
        /// To what browsers ask before requests with headers of the application.
        var preflight: ProbeAnswer?
        /// To a WebSocket handshake with the origin, if one without it has worked; nil if it has worked as well.
        var refusedWebSocket: ProbeAnswer?
    }

    /// - Parameter headers: names, in lower case, of headers that the page would send.
    static func judge(_ answers: Answers, origin: String, server: EngineURL, headers: [String]) -> Finding {
        let name = SafeText.escape(origin)
        if let finding = self.mixedContent(origin, server) { return finding }
        if let finding = self.simple(answers.simple, origin, name) { return finding }
        if let answer = answers.refusedWebSocket {
            return .failure(
                .cors, "pages of \(name) may poll, but their WebSocket is answered with status \(answer.status)",
                "Allow the origin for both: `cors.origin`, and whatever `allowRequest` or a proxy check.")
        }
        if let finding = self.preflight(answers.preflight, origin, name, headers) { return finding }
        let allowed = answers.simple.first("access-control-allow-origin") ?? ""
        let credentials =
            allowed == "*"
            ? "without cookies (`withCredentials` needs the origin itself instead of *)"
            : self.allowsCredentials(answers.simple) ? "also with cookies" : "without cookies (`credentials` is off)"
        return .ok(.cors, "pages of \(name) may connect, \(credentials)")
    }

    private static func mixedContent(_ origin: String, _ server: EngineURL) -> Finding? {
        guard origin.hasPrefix("https://"), !server.isSecure,
            !["localhost", "127.0.0.1", "::1"].contains(server.host)
        else { return nil }
        return .failure(
            .cors, "pages of \(SafeText.escape(origin)) may not connect to a server without TLS",
            "Browsers refuse that as mixed content: give the server, or a proxy before it, a certificate, and use https://."
        )
    }

    private static func simple(_ answer: ProbeAnswer, _ origin: String, _ name: String) -> Finding? {
        let advice =
            "Name the origin at the server: `cors: { origin: \"\(name)\" }`; in Swift `engine.cors = .origins(\"\(name)\")`."
        guard (200...299).contains(answer.status) else {
            return .failure(.cors, "requests of \(name) get status \(answer.status)\(answer.server)", advice)
        }
        let allowed = answer.all("access-control-allow-origin")
        guard let first = allowed.first else {
            return .failure(
                .cors, "the answer to pages of \(name) has no Access-Control-Allow-Origin: browsers withhold it", advice
            )
        }
        if allowed.count > 1 || first.contains(",") {
            return .failure(
                .cors, "Access-Control-Allow-Origin comes twice: \(SafeText.escape(allowed.joined(separator: ", ")))",
                "Browsers refuse that: have either the server or the proxy send it (nginx: add_header), not both.")
        }
        guard first == "*" || first == origin else {
            return .failure(
                .cors, "the server allows \(SafeText.escape(String(first.prefix(120)))) and not \(name)",
                advice + " Scheme, host and port must be the same, without a slash at the end.")
        }
        return nil
    }

    private static func preflight(
        _ answer: ProbeAnswer?, _ origin: String, _ name: String, _ headers: [String]
    ) -> Finding? {
        guard let answer else { return nil }
        let allowed = answer.first("access-control-allow-origin")
        let missing = headers.filter { header in
            let list = answer.list("access-control-allow-headers")
            return !list.contains(header) && !list.contains("*")
        }
        let isFine = (200...299).contains(answer.status) && (allowed == origin || allowed == "*")
        if isFine, missing.isEmpty { return nil }
        let seen =
            isFine
            ? "the headers \(missing.joined(separator: ", ")) are not allowed to pages of \(name)"
            : "the preflight request (OPTIONS) for pages of \(name) gets status \(answer.status)\(answer.server) without leave"
        let advice = """
            Name the headers at the server (`cors.allowedHeaders`), and have the proxy pass OPTIONS on. Only pages that set \
            `extraHeaders` need it.
            """
        return headers.isEmpty ? .warning(.cors, seen, advice) : .failure(.cors, seen, advice)
    }

    private static func allowsCredentials(_ answer: ProbeAnswer) -> Bool {
        answer.first("access-control-allow-credentials") == "true"
    }
}
