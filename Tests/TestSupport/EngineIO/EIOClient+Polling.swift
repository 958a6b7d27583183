import NIOCore

extension EIOClient {
    /// Polls until the session ends or moves to WebSocket.
    func poll() async {
        // A server that sends pings answers within their interval; the heartbeat ends the session if it does not.
        let limit = Duration.milliseconds(handshake.pingInterval + handshake.pingTimeout) + .seconds(60)
        do {
            while try await mayPoll() {
                let path = Self.requestPath(options, .polling, sid: sid)
                let reply = try await get.start(
                    "GET", path, headers: Self.pollingHeaders(options), timeout: options.timeout
                ).reply(timeout: options.watchesHeartbeat ? limit : .seconds(86400))
                guard reply.status == 200 else {
                    finish("transport error", "a poll was answered: \(reply)")
                    return
                }
                state.update { $0.counts.polls += 1 }
                for packet in try EIOPacket.payload(reply.body) { receive(packet) }
                state.update { $0.isPolling = false }
            }
        } catch let error as PeerError {
            finish("parse error", error.message)
        } catch {
            finish("transport error", "a poll failed: \(error)")
        }
        state.update { $0.isPolling = false }
    }

    private func mayPoll() async throws -> Bool {
        try await state.wait("a turn to poll", timeout: nil) { state in
            if state.closed != nil || state.isClosing || state.transport == .websocket { return false }
            if state.holdsBack || state.isPaused { return nil }
            state.isPolling = true
            return true
        }
    }

    /// Sends the outbox, one POST after the other. One call runs at a time: `isPosting` is set by who starts it.
    func postOutbox() async {
        let limit = handshake.maxPayload
        while let body = nextBody(below: limit) {
            do {
                let reply = try await post.request(
                    "POST", Self.requestPath(options, .polling, sid: sid),
                    headers: Self.pollingHeaders(options) + [("Content-type", "text/plain;charset=UTF-8")],
                    body: .bytes(body), timeout: options.timeout)
                guard reply.status == 200, reply.text.lowercased() == "ok" else {
                    finish("transport error", "a POST was answered: \(reply)")
                    break
                }
                state.update { $0.counts.posts += 1 }
            } catch {
                finish("transport error", "a POST failed: \(error)")
                break
            }
        }
        state.update { $0.isPosting = false }
    }

    /// As many packets as fit; one that alone is too large goes out all the same. Nil ends the posting.
    private func nextBody(below limit: Int) -> [UInt8]? {
        state.update { state in
            guard state.closed == nil, !state.holdsBack, state.transport == .polling, !state.outbox.isEmpty else {
                state.isPosting = false
                return nil
            }
            var body: [UInt8] = []
            var count = 0
            for packet in state.outbox {
                let text = packet.payloadText
                if count > 0 {
                    if body.count + 1 + text.utf8.count > limit { break }
                    body.append(0x1E)
                }
                body += text.utf8
                count += 1
            }
            state.outbox.removeFirst(count)
            return body
        }
    }

    /// Posts what an upgrade that failed kept back.
    func resumePosting() {
        let starts = state.update { state in
            state.holdsBack = false
            guard !state.isPosting, !state.outbox.isEmpty, state.closed == nil else { return false }
            state.isPosting = true
            return true
        }
        if starts { Task { await self.postOutbox() } }
    }
}
