import SocketIOCore

extension SocketIOClient {
    /// Calls `handler` whenever the client is connected to its namespace: the first time and after each reconnection, which
    /// ``recovered`` tells from another.
    @discardableResult
    public func onConnect(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable () async throws -> Void
    ) -> ListenerToken {
        self.hook(.connected) { _ in try await handler() }
    }

    /// Calls `handler` whenever the client was connected and is not any more.
    @discardableResult
    public func onDisconnect(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (Disconnection) async throws -> Void
    ) -> ListenerToken {
        self.hook(.disconnected) { if case .disconnected(let value) = $0 { try await handler(value) } }
    }

    /// Calls `handler` for each attempt that has failed, with ``SocketIOCore/ConnectError`` if it was the server that refused the
    /// client. ``active`` says whether another attempt follows.
    @discardableResult
    public func onConnectError(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (any Error) async throws -> Void
    ) -> ListenerToken {
        self.hook(.connectError) { if case .connectError(let value) = $0 { try await handler(value) } }
    }

    /// Calls `handler` before each attempt to reconnect, with its number, from 1.
    @discardableResult
    public func onReconnectAttempt(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (Int) async throws -> Void
    ) -> ListenerToken {
        self.hook(.reconnectAttempt) { if case .reconnectAttempt(let value) = $0 { try await handler(value) } }
    }

    /// Calls `handler` when an attempt to reconnect has succeeded, with its number. The namespace is joined after that.
    @discardableResult
    public func onReconnect(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (Int) async throws -> Void
    ) -> ListenerToken {
        self.hook(.reconnected) { if case .reconnected(let value) = $0 { try await handler(value) } }
    }

    /// Calls `handler` when an attempt to reconnect has failed.
    @discardableResult
    public func onReconnectError(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (any Error) async throws -> Void
    ) -> ListenerToken {
        self.hook(.reconnectError) { if case .reconnectError(let value) = $0 { try await handler(value) } }
    }

    /// Calls `handler` when as many attempts have failed as the configuration allows. No other is made.
    @discardableResult
    public func onReconnectFailed(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable () async throws -> Void
    ) -> ListenerToken {
        self.hook(.reconnectFailed) { _ in try await handler() }
    }

    /// Calls `handler` when the connection has moved from polling to WebSocket.
    @discardableResult
    public func onUpgrade(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable () async throws -> Void
    ) -> ListenerToken {
        self.hook(.upgraded) { _ in try await handler() }
    }

    /// Calls `handler` for each ping of the server.
    @discardableResult
    public func onPing(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable () async throws -> Void
    ) -> ListenerToken {
        self.hook(.ping) { _ in try await handler() }
    }

    /// Calls `handler` for what goes wrong and nobody waits for: handlers that throw, arguments that do not fit, events that
    /// can't be sent. Without a handler it goes to ``SocketIOClientConfiguration/onError``, or is logged.
    @discardableResult
    public func onError(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (any Error) async throws -> Void
    ) -> ListenerToken {
        self.hook(.error) { if case .error(let value) = $0 { try await handler(value) } }
    }

    private func hook(_ kind: ClientNotice.Kind, _ handler: @escaping ClientListeners.Hook) -> ListenerToken {
        let core = self.core
        let token = core.listeners.withLock { listeners in
            let token = listeners.makeToken()
            if !listeners.isReleased {
                listeners.hooks[kind, default: []].append(.init(token: token, handler: handler))
            }
            return token
        }
        return ListenerToken { [weak core] in
            // What is removed is released outside the lock.
            _ = core?.listeners.withLock { listeners in
                let old = listeners.hooks[kind]
                listeners.hooks[kind]?.removeAll { $0.token == token }
                return old
            }
        }
    }
}
