import NIOCore

extension EIOClient {
    /// Reads the WebSocket until it or the session ends.
    func read(_ webSocket: WSClient) async {
        do {
            while true {
                switch try await webSocket.next(timeout: nil) {
                case .text(let text):
                    receive(try EIOPacket(parsing: text[...]))
                case .binary(let bytes):
                    receive(.binary(bytes))
                case .ping(let data):
                    webSocket.connection.enqueue(RawFrame(opcode: 10, payload: data).encoded())
                case .pong:
                    break
                case .close(let code, _):
                    if !state.update({ $0.isClosing }) { try? await webSocket.sendClose(code: code) }
                    finish("transport close", "close frame \(code.map(String.init) ?? "without a code")")
                    return
                }
            }
        } catch let ended as ConnectionEnded {
            if case .failed(let error) = ended.end {
                finish("transport error", error)
            } else {
                finish("transport close", "the connection ended without a close frame")
            }
        } catch {
            finish("parse error", "\(error)")
        }
    }

    /// Moves the session from polling to WebSocket in the steps of the official client: probe, its answer, end of the
    /// requests in flight, `5`. Messages go on arriving meanwhile; those sent between answer and `5` are kept back.
    ///
    /// - Parameters:
    ///   - headers: header fields of the handshake behind those of the options.
    ///   - beforeSwitch: runs when no request is in flight any more, before `5` is sent.
    /// - Throws: `WSRefused`, `PeerError`, `TimeoutError`, or `EIOClosed` when the session ended. In all cases but the last
    ///   the session goes on over polling.
    package func upgrade(
        headers: [(String, String)] = [], beforeSwitch: (@Sendable () async throws -> Void)? = nil
    ) async throws {
        try state.update { state in
            if let closed = state.closed { throw closed }
            guard state.transport == .polling, !state.isUpgrading, !state.isClosing else {
                throw PeerError("an upgrade of a session that is not to be upgraded: \(state.summary)")
            }
            state.isUpgrading = true
        }
        do {
            let webSocket = try await probe(headers: headers)
            try await endRequests()
            try await beforeSwitch?()
            try use(webSocket)
            Task { await self.read(webSocket) }
        } catch {
            state.update { $0.isUpgrading = false }
            resumePosting()
            throw error
        }
    }

    private func probe(headers: [(String, String)]) async throws -> WSClient {
        let webSocket = try await WSClient.connect(
            host: options.host, port: options.port, path: Self.requestPath(options, .websocket, sid: sid),
            headers: options.headers + headers, receiveBuffer: options.receiveBuffer, timeout: options.timeout)
        try await webSocket.send("2probe", timeout: options.timeout)
        try await webSocket.expectText("3probe", timeout: options.timeout)
        return webSocket
    }

    private func endRequests() async throws {
        state.update { $0.holdsBack = true }
        let timeout = options.timeout
        try await state.wait("the end of the requests in flight", timeout: timeout) { state in
            if let closed = state.closed { throw closed }
            return state.isPolling || state.isPosting ? nil : true
        }
    }

    private func use(_ webSocket: WSClient) throws {
        try state.update { state in
            if let closed = state.closed { throw closed }
            // Under the lock, so that a message sent meanwhile comes behind those that were kept back.
            webSocket.connection.enqueue(EIOPacket.text("5").frame.encoded())
            for packet in state.outbox { webSocket.connection.enqueue(packet.frame.encoded()) }
            state.outbox = []
            state.transport = .websocket
            state.webSocket = webSocket
            state.isUpgrading = false
            state.holdsBack = false
        }
        get.closeSoon()
        post.closeSoon()
    }

    // MARK: Ending

    /// Closes the session as the official client does, after an upgrade under way: `1` in a POST and up to 500 ms
    /// for the answer to the poll, or a close frame. It is not an error when the session has ended already.
    package func close(timeout: Duration? = nil) async {
        let timeout = timeout ?? options.timeout
        do {
            let webSocket = try await state.wait("the end of an upgrade", timeout: timeout) { state -> WSClient?? in
                if let closed = state.closed { throw closed }
                if state.isUpgrading { return nil }
                state.isClosing = true
                return .some(state.webSocket)
            }
            if let webSocket {
                try await webSocket.sendClose()
                try await waitForClose(timeout: timeout)
            } else {
                try enqueue([.text("1")]) { _ in }
                try await flushed(timeout: timeout)
                // A courtesy: some servers answer the poll only at their next ping.
                let patience = min(timeout, .milliseconds(500))
                try await state.wait("the end of the poll", timeout: patience) { $0.isPolling ? nil : true }
            }
        } catch {
            // Nothing more can be done in order; what follows ends the session in any case.
        }
        finish("forced close", "closed here")
    }

    /// Cuts all connections of the session (RST) without a word.
    package func abort() async {
        let webSocket = state.update { state in
            state.isClosing = true
            return state.webSocket
        }
        await webSocket?.connection.reset()
        await get.connection?.reset()
        await post.connection?.reset()
        finish("forced close", "cut here")
    }

    /// Waits for the end of the session.
    @discardableResult
    package func waitForClose(timeout: Duration = defaultTimeout) async throws -> EIOClosed {
        try await state.wait("the end of the session", timeout: timeout) { $0.closed }
    }
}
