import SocketIOCore

extension SocketIOClient {
    // MARK: By name

    /// Calls `handler` for each event of this name, in the actor that it is written in.
    ///
    /// Its arguments are decoded before. Those that are missing are nil where the type is optional, surplus ones are ignored,
    /// and what does not fit is reported to ``onError(_:)`` and the handler not called. Use ``SocketIOCore/SocketIOValue`` for an argument
    /// of unknown type, and ``SocketIOCore/Arguments`` for any number of them. What it returns is the acknowledgement, if the server
    /// wants one; ``SocketIOCore/Ack`` holds several values; a parameter of type ``SocketIOCore/AckReply``, after the others, answers
    /// later. A handler that returns nothing answers with nothing when it ends.
    @discardableResult @_disfavoredOverload
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event, once: false, handler)
    }

    /// Calls `handler` for each event of this name; what it returns is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        self.listen(event, once: false, handler)
    }

    // MARK: By typed key

    /// Calls `handler` for each of these events.
    @discardableResult
    public func on<each A>(
        _ event: Event<repeat each A>,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event.name, once: false, handler)
    }

    /// Calls `handler` for each of these events; what it returns is the acknowledgement.
    @discardableResult
    public func on<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        self.listen(event.name, once: false, handler)
    }

    // MARK: Once

    /// Calls `handler` for the next event of this name only. One whose arguments do not fit is that event too: it is reported to
    /// ``onError(_:)``, and no other is waited for.
    @discardableResult @_disfavoredOverload
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event, once: true, handler)
    }

    /// Calls `handler` for the next event of this name only; what it returns is the acknowledgement.
    @discardableResult
    public func once<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        self.listen(event, once: true, handler)
    }

    /// Calls `handler` for the next of these events only.
    @discardableResult
    public func once<each A>(
        _ event: Event<repeat each A>,
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event.name, once: true, handler)
    }

    // MARK: Removing

    /// Removes all listeners of an event, or of all events. A single one is removed by its token.
    public func removeAllListeners(_ event: String? = nil) {
        // What is removed is released outside the lock.
        _ = self.core.listeners.withLock { $0.removeAll(event) }
    }

    /// The names of the events that have listeners.
    public var eventNames: [String] { self.core.listeners.withLock { $0.events } }

    // MARK: All events

    /// Calls `handler` for each event that comes, before the event's own listeners. Acknowledgements do not count.
    @discardableResult
    public func onAny(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (String, [SocketIOValue]) async throws -> Void
    ) -> ListenerToken {
        self.addCatchAll(\.catchAll, handler, first: false)
    }

    /// As ``onAny(_:)``, before those that are there.
    @discardableResult
    public func prependAny(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (String, [SocketIOValue]) async throws -> Void
    ) -> ListenerToken {
        self.addCatchAll(\.catchAll, handler, first: true)
    }

    /// Removes all listeners of ``onAny(_:)``.
    public func offAny() { _ = self.core.listeners.withLock { $0.takeCatchAll(\.catchAll) } }

    /// Calls `handler` for each event that is sent, when it is: those that wait for a connection are told after the next.
    /// Acknowledgements do not count.
    @discardableResult
    public func onAnyOutgoing(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (String, [SocketIOValue]) async throws -> Void
    ) -> ListenerToken {
        self.core.hasOutgoingListeners.store(true, ordering: .relaxed)
        return self.addCatchAll(\.catchAllOutgoing, handler, first: false)
    }

    /// As ``onAnyOutgoing(_:)``, before those that are there.
    @discardableResult
    public func prependAnyOutgoing(
        @_inheritActorContext _ handler: @escaping @concurrent @Sendable (String, [SocketIOValue]) async throws -> Void
    ) -> ListenerToken {
        self.core.hasOutgoingListeners.store(true, ordering: .relaxed)
        return self.addCatchAll(\.catchAllOutgoing, handler, first: true)
    }

    /// Removes all listeners of ``onAnyOutgoing(_:)``.
    public func offAnyOutgoing() { _ = self.core.listeners.withLock { $0.takeCatchAll(\.catchAllOutgoing) } }

    // MARK: The ways into a handler

    private func listen<each A: Decodable & Sendable>(
        _ event: String,
        once: Bool,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        let answers = takesReply(repeat (each A).self)
        return self.core.addListener(event, once: once, answers: answers) { arguments, call in
            var arguments = arguments
            let values = (repeat try arguments.argument((each A).self, ack: call.ack))
            call.start {
                try await handler(repeat each values)
                if call.answersEmpty, !answers { call.ack?.send() }
            }
        }
    }

    private func listen<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        once: Bool,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        let isSeveral = R.self is any AcknowledgementValues.Type
        return self.core.addListener(event, once: once, answers: true) { arguments, call in
            var arguments = arguments
            let values = (repeat try arguments.argument((each A).self, ack: call.ack))
            call.start {
                let result = try await handler(repeat each values)
                call.ack?.answer(result, isSeveral: isSeveral)
            }
        }
    }

    private func addCatchAll(
        _ list: WritableKeyPath<ClientListeners, [ClientListeners.Numbered<ClientListeners.CatchAll>]> & Sendable,
        _ handler: @escaping ClientListeners.CatchAll,
        first: Bool
    ) -> ListenerToken {
        let core = self.core
        let token = core.listeners.withLock { listeners in
            let token = listeners.makeToken()
            if listeners.isReleased { return token }
            listeners[keyPath: list].insert(
                .init(token: token, handler: handler), at: first ? 0 : listeners[keyPath: list].count)
            return token
        }
        return ListenerToken { [weak core] in
            _ = core?.listeners.withLock { listeners in
                let old = listeners[keyPath: list]
                listeners[keyPath: list].removeAll { $0.token == token }
                return old
            }
        }
    }
}

extension ClientListeners {
    mutating func takeCatchAll(_ list: WritableKeyPath<ClientListeners, [Numbered<CatchAll>]>) -> [Numbered<CatchAll>] {
        let old = self[keyPath: list]
        self[keyPath: list] = []
        return old
    }
}

extension ClientNamespace {
    func addListener(
        _ event: String,
        once: Bool,
        answers: Bool,
        _ run: @escaping @Sendable (ArgumentReader, ClientCall) throws -> Void
    ) -> ListenerToken {
        let token = self.listeners.withLock { $0.add(event, isOnce: once, answers: answers, run) }
        return ListenerToken { [weak self] in
            _ = self?.listeners.withLock { $0.remove(event, token: token) }
        }
    }
}
