import EngineIOCore
import NIOCore

extension Examination {
    /// Nil if there is none to be had.
    mutating func openWebSocket(_ session: Session) async -> ProbeSocket? {
        let target = session.target
        do throws(WireFailure) {
            switch try await ProbeSocket.open(target) {
            case .refused(let answer):
                self.note(
                    WebSocketJudgement.refused(
                        .webSocket, answer, path: target.path, isPollingFine: session.handshake != nil))
            case .open(var socket, _):
                let text = try await Self.orNil { () async throws(WireFailure) in
                    try await socket.text(within: target.timeout)
                }
                self.note(WebSocketJudgement.direct(text))
                guard let text, text.hasPrefix("0{") else {
                    socket.close()
                    return nil
                }
                if session.handshake == nil,
                    let handshake = Handshake(json: ByteBuffer(string: String(text.dropFirst())))
                {
                    self.pingInterval = handshake.pingInterval
                    self.note(VersionJudgement.versions(handshake, old: nil))
                    self.note(VersionJudgement.parameters(handshake))
                }
                return socket
            }
        } catch {
            self.note(WebSocketJudgement.failed(.webSocket, error))
        }
        return nil
    }

    mutating func upgrade(_ target: ProbeTarget, _ first: Handshake) async {
        guard let answer = try? await target.get(), case .session(let handshake) = HandshakeJudgement.meaning(answer)
        else {
            self.note(
                .failure(
                    .upgrade, "a second handshake over polling was not answered like the first",
                    "Several servers may answer in turn, and not all of them are well."))
            return
        }
        do throws(WireFailure) {
            switch try await ProbeSocket.open(target, sid: handshake.sid) {
            case .refused(let answer):
                self.note(
                    WebSocketJudgement.refused(.upgrade, answer, path: target.path, isPollingFine: true))
            case .open(var socket, _):
                defer { socket.close() }
                socket.send("2probe")
                self.note(
                    WebSocketJudgement.upgrade(
                        try await Self.orNil { () async throws(WireFailure) in
                            try await socket.text(within: target.timeout)
                        }))
            }
        } catch {
            self.note(WebSocketJudgement.failed(.upgrade, error))
        }
        await target.end(sid: handshake.sid)
    }

    /// Nothing that came in time is nothing, as is the end.
    static func orNil<Value>(
        _ body: () async throws(WireFailure) -> Value?
    ) async throws(WireFailure) -> Value? {
        do throws(WireFailure) { return try await body() } catch {
            guard error == .timeout || error == .closed else { throw error }
            return nil
        }
    }

    // MARK: Times

    /// Of some pings of WebSocket.
    func measure(_ socket: inout ProbeSocket?) async -> [Duration] {
        var samples: [Duration] = []
        while samples.count < 5, let time = try? await socket?.roundTrip(within: self.options.timeout) {
            samples.append(time)
        }
        return samples
    }

    /// Another WebSocket in place of one that may not be used any more.
    func renew(_ socket: inout ProbeSocket?, _ target: ProbeTarget) async {
        guard let old = socket else { return }
        old.close()
        socket = nil
        guard case .open(var new, _)? = try? await ProbeSocket.open(target) else { return }
        if (try? await new.text(within: target.timeout)) != nil { socket = new }
    }

    mutating func awaitPing(_ target: ProbeTarget, _ socket: inout ProbeSocket?) async {
        guard let interval = self.pingInterval else { return }
        guard socket != nil || self.holdsPolling else {
            return self.note(.skipped(.ping, "no session holds long enough to get one"))
        }
        guard self.options.waitsForPing || interval <= TimeJudgement.shortInterval else {
            return self.note(TimeJudgement.skippedPing(interval: interval))
        }
        let limit = Duration.milliseconds(interval) + self.options.timeout
        let start = ContinuousClock.now
        let transport = socket == nil ? "polling" : "WebSocket"
        var ping = TimeJudgement.Ping.didNotCome(within: limit)
        do throws(WireFailure) {
            let packet =
                socket == nil
                ? try await self.polledPing(target, limit)
                : try await socket?.text(within: limit) { $0.hasPrefix("2") }
            let time = ContinuousClock.now - start
            ping = packet == nil ? .ended(.closed, after: time) : .came(after: time)
        } catch {
            if error != .timeout { ping = .ended(error, after: ContinuousClock.now - start) }
        }
        self.note(TimeJudgement.ping(ping, interval: interval, transport: transport))
    }

    private func polledPing(_ target: ProbeTarget, _ limit: Duration) async throws(WireFailure) -> String? {
        var target = target
        let answer = try await target.get()
        guard case .session(let handshake) = HandshakeJudgement.meaning(answer) else { return nil }
        target.timeout = limit
        let polled = try await target.get(sid: handshake.sid)
        await target.end(sid: handshake.sid)
        return polled.status == 200 && polled.text.hasPrefix("2") ? polled.text : nil
    }
}
