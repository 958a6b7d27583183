/// Whether requests of one session reach the server that has it, each over a connection of its own.
enum SessionJudgement {
    enum Outcome: Sendable, Equatable {
        case known
        /// Another server than that of the handshake has answered.
        case unknown
        case refused(ProbeAnswer)
        case failed(WireFailure)

        init(_ answer: ProbeAnswer) {
            switch answer.status {
            case 200...299: self = .known
            case 400 where answer.engineError?.code == 1: self = .unknown
            default: self = .refused(answer)
            }
        }
    }

    static let advice = """
        There are several servers, and the load balancer does not send a client to the same one each time. Make sessions \
        sticky: nginx `ip_hash` or `hash $remote_addr consistent` in the upstream, HAProxy `cookie … insert`, AWS ALB \
        stickiness, Kubernetes `sessionAffinity: ClientIP`; with Node.js' cluster @socket.io/sticky. Or have clients use \
        WebSocket alone: `transports: ["websocket"]`.
        """

    /// - Parameters:
    ///   - cookies: the names of those that came with the handshake.
    ///   - withoutCookies: more requests, without the cookies; empty if there are none.
    static func judge(
        _ outcomes: [Outcome], path: String, cookies: [String], withoutCookies: [Outcome] = []
    ) -> Finding {
        let unknown = outcomes.count { $0 == .unknown }
        if unknown > 0 {
            return .failure(
                .sessions, "\(unknown) of \(outcomes.count) requests came to a server that does not know the session",
                self.advice)
        }
        for outcome in outcomes {
            switch outcome {
            case .refused(let answer):
                var finding = RefusalJudgement.judge(.sessions, answer, path: path)
                finding.seen = "the handshake was answered, then a request of the session got \(finding.seen)"
                return finding
            case .failed(let failure):
                return .failure(
                    .sessions, "the handshake was answered, then a request of the session \(failure.words)",
                    "Does a proxy hold back POST requests, or answers that are slow to come (nginx: proxy_buffering off)?"
                )
            default: break
            }
        }
        let seen = "\(outcomes.count) requests over connections of their own have found the session"
        guard withoutCookies.contains(.unknown) else { return .ok(.sessions, seen) }
        let names = cookies.map { SafeText.escape($0) }.joined(separator: ", ")
        return .warning(
            .sessions, seen + ", but only with the cookie \(names)",
            """
            Pages of other origins send it only with `withCredentials: true`, and the server must then allow credentials; \
            clients that keep no cookies fail.
            """)
    }
}
