import EngineIOCore

extension Examination {
    mutating func lookAtCORS(_ target: ProbeTarget, hasWebSocket: Bool) async {
        guard let origin = self.options.origin else {
            return self.note(
                .skipped(.cors, "no page's origin was given", "Give --origin https://… to look at it as its pages do."))
        }
        let names = self.options.headers.map { $0.0.lowercased() }.filter { $0 != "cookie" }
        do throws(WireFailure) {
            let simple = try await target.send(
                ProbeTarget.Request(target: target.target("polling"), headers: [("Origin", origin)]))
            let asked = (names + ["content-type"]).joined(separator: ",")
            let preflight = try await target.send(
                ProbeTarget.Request(
                    method: "OPTIONS", target: target.target("polling"),
                    headers: [
                        ("Origin", origin), ("Access-Control-Request-Method", "POST"),
                        ("Access-Control-Request-Headers", asked),
                    ]))
            var answers = CORSJudgement.Answers(simple: simple, preflight: preflight)
            if hasWebSocket {
                switch try await ProbeSocket.open(target, origin: origin) {
                case .refused(let answer): answers.refusedWebSocket = answer
                case .open(let socket, _): socket.close()
                }
            }
            if case .session(let handshake) = HandshakeJudgement.meaning(simple) {
                await target.end(sid: handshake.sid)
            }
            self.note(CORSJudgement.judge(answers, origin: origin, server: target.url, headers: names))
        } catch {
            self.note(
                .failure(
                    .cors, "a request with the origin \(SafeText.escape(origin)) \(error.words)",
                    "Does a firewall or proxy look at the Origin header?"))
        }
    }

    // MARK: Joining

    /// Whether it has joined.
    mutating func join(_ target: ProbeTarget, _ socket: inout ProbeSocket?) async -> Bool {
        guard socket != nil || self.holdsPolling else {
            self.note(.skipped(.namespace, "no session holds long enough to join it"))
            return false
        }
        let packet = NamespaceJudgement.connect(self.namespace, auth: self.options.auth)
        let hasAuth = self.options.auth != nil
        let finding: Finding
        do throws(WireFailure) {
            let answer: String?
            if socket != nil {
                socket?.send(packet)
                answer = try await socket?.text(within: target.timeout, where: { NamespaceJudgement.isAnswer($0) })
            } else {
                answer = try await self.joinByPolling(target, packet)
            }
            finding = NamespaceJudgement.judge(answer, namespace: self.namespace, hasAuth: hasAuth)
        } catch {
            finding = NamespaceJudgement.judge(error, namespace: self.namespace, hasAuth: hasAuth)
        }
        self.note(finding)
        return finding.isFine
    }

    private func joinByPolling(_ target: ProbeTarget, _ packet: String) async throws(WireFailure) -> String? {
        let answer = try await target.get()
        guard case .session(let handshake) = HandshakeJudgement.meaning(answer) else { return nil }
        _ = try await target.post(packet, sid: handshake.sid)
        let polled = try await target.get(sid: handshake.sid)
        await target.end(sid: handshake.sid)
        guard polled.status == 200 else { return nil }
        return polled.text.split(separator: "\u{1E}").map { String($0) }.first { NamespaceJudgement.isAnswer($0) }
    }
}
