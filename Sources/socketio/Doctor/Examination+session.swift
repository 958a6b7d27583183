import EngineIOCore

extension Examination {
    /// What one step leaves to the next.
    struct Session {
        var target: ProbeTarget
        /// Of the first handshake; nil if polling is not offered.
        var handshake: Handshake?
        var cookies: [String] = []
        /// How long the first handshake took.
        var time: Duration?
    }

    /// All that needs a server that answers.
    mutating func examine(_ target: ProbeTarget) async {
        guard let session = await self.shakeHands(target) else { return }
        if let handshake = session.handshake {
            await self.compareVersions(session.target, handshake)
            self.note(VersionJudgement.parameters(handshake))
            await self.useSession(session, handshake)
        } else {
            self.note(.skipped(.sessions, "without polling a session is one connection"))
        }
        var socket = await self.openWebSocket(session)
        let hasWebSocket = socket != nil
        if let handshake = session.handshake, handshake.upgrades.contains("websocket") {
            await self.upgrade(session.target, handshake)
        } else {
            self.note(
                session.handshake == nil
                    ? .skipped(.upgrade, "there is no polling to begin with")
                    : WebSocketJudgement.notOffered(hasWebSocket))
        }
        await self.lookAtCORS(session.target, hasWebSocket: hasWebSocket)
        let samples = await self.measure(&socket)
        // A server may end the connection of whom it refuses, and one that was waited for too long is cut.
        if samples.isEmpty { await self.renew(&socket, session.target) }
        if await !self.join(session.target, &socket) { await self.renew(&socket, session.target) }
        await self.awaitPing(session.target, &socket)
        socket?.close()
        self.note(TimeJudgement.roundTrip(samples, handshake: session.time))
    }

    private mutating func shakeHands(_ target: ProbeTarget) async -> Session? {
        do throws(WireFailure) {
            let answer = try await target.get()
            var finding = HandshakeJudgement.judge(answer, path: target.path)
            var session = Session(target: target)
            switch HandshakeJudgement.meaning(answer) {
            case .session(let handshake):
                session.handshake = handshake
                self.pingInterval = handshake.pingInterval
                session.time = answer.time
                session.cookies = answer.all("set-cookie").map { String($0.prefix { $0 != ";" }) }
                session.target.cookies = session.cookies
                self.note(finding)
                return session
            case .noPolling:
                self.note(finding)
                return session
            case .oldServer: break
            case .none:
                if await self.isAtDefaultPath(target) {
                    finding.advice =
                        "A Socket.IO server answers at /socket.io/: leave --path out, and `path` in clients."
                }
            }
            self.note(finding)
        } catch {
            self.note(HandshakeJudgement.judge(error, isSecure: target.url.isSecure))
        }
        return nil
    }

    private func isAtDefaultPath(_ target: ProbeTarget) async -> Bool {
        guard target.path != "/socket.io/" else { return false }
        var other = target
        other.path = "/socket.io/"
        guard let answer = try? await other.get(), case .session(let handshake) = HandshakeJudgement.meaning(answer)
        else { return false }
        await other.end(sid: handshake.sid)
        return true
    }

    private mutating func compareVersions(_ target: ProbeTarget, _ handshake: Handshake) async {
        self.note(VersionJudgement.versions(handshake, old: try? await target.get(version: 3)))
    }

    // MARK: One session, many connections

    private mutating func useSession(_ session: Session, _ handshake: Handshake) async {
        var outcomes: [SessionJudgement.Outcome] = []
        for _ in 0..<4 { outcomes.append(await self.pong(session.target, handshake)) }
        // Something that the server answers to, so that a poll does not wait for the next ping.
        let packet = NamespaceJudgement.connect(self.namespace, auth: self.options.auth)
        let asked = await self.outcome { () async throws(WireFailure) in
            try await session.target.post(packet, sid: handshake.sid)
        }
        outcomes.append(asked)
        if asked == .known {
            outcomes.append(
                await self.outcome { () async throws(WireFailure) in try await session.target.get(sid: handshake.sid) })
        }
        var withoutCookies: [SessionJudgement.Outcome] = []
        if !session.cookies.isEmpty, !outcomes.contains(.unknown) {
            var bare = session.target
            bare.cookies = []
            for _ in 0..<4 { withoutCookies.append(await self.pong(bare, handshake)) }
        }
        let finding = SessionJudgement.judge(
            outcomes, path: session.target.path, cookies: session.cookies.map { String($0.prefix { $0 != "=" }) },
            withoutCookies: withoutCookies)
        self.holdsPolling = finding.isFine
        self.note(finding)
        await session.target.end(sid: handshake.sid)
    }

    /// A packet that no server minds: it counts as the answer to a ping.
    private func pong(_ target: ProbeTarget, _ handshake: Handshake) async -> SessionJudgement.Outcome {
        await self.outcome { () async throws(WireFailure) in try await target.post("3", sid: handshake.sid) }
    }

    private func outcome(
        _ request: () async throws(WireFailure) -> ProbeAnswer
    ) async -> SessionJudgement.Outcome {
        do throws(WireFailure) { return SessionJudgement.Outcome(try await request()) } catch { return .failed(error) }
    }
}
