import SocketIOCore

/// What events come to: sockets, and namespaces for the events of other servers.
///
/// A handler takes its arguments in their types; they are decoded before it is called. Arguments that are missing decode as
/// nil where the type is optional, surplus ones are ignored, and what does not fit is reported to the error hook and the
/// handler not called. Use ``SocketIOValue`` for an argument of unknown type, and ``Arguments`` for any number of them. What a handler returns is the acknowledgement, if
/// the sender wants one; ``Ack`` holds several values; a parameter of type ``AckReply``, after the others, answers later. A synchronous handler is called inline on an event loop and must not
/// block; async ones start in the order of arrival and may overlap after their first suspension. What a handler throws goes to
/// the error hook, never to the client.
public protocol EventListening: Sendable {
    /// Where the listeners are kept.
    var eventListeners: EventListeners { get }
}

/// The listeners of a socket or a namespace. Made by those; of no use alone.
public struct EventListeners: Sendable {
    let add:
        @Sendable (
            _ event: String,
            _ isOnce: Bool,
            _ reply: Listener.Reply,
            _ run: @escaping @Sendable (ArgumentReader, Invocation) throws -> Void
        ) -> ListenerToken
}

extension EventListening {
    // MARK: By name

    /// Calls `handler` for each event of this name.
    @discardableResult @_disfavoredOverload
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> ListenerToken {
        self.listen(event, once: false, handler)
    }

    /// Calls `handler` for each event of this name.
    @discardableResult @_disfavoredOverload
    public func on<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event, once: false, handler)
    }

    /// Calls `handler` for each event of this name; what it returns is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> ListenerToken {
        self.listen(event, once: false, handler)
    }

    /// Calls `handler` for each event of this name; what it returns is the acknowledgement.
    @discardableResult
    public func on<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        self.listen(event, once: false, handler)
    }

    // MARK: By typed key

    /// Calls `handler` for each of these events.
    @discardableResult
    public func on<each A>(
        _ event: Event<repeat each A>,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> ListenerToken {
        self.listen(event.name, once: false, handler)
    }

    /// Calls `handler` for each of these events.
    @discardableResult
    public func on<each A>(
        _ event: Event<repeat each A>,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event.name, once: false, handler)
    }

    /// Calls `handler` for each of these events; what it returns is the acknowledgement.
    @discardableResult
    public func on<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> ListenerToken {
        self.listen(event.name, once: false, handler)
    }

    /// Calls `handler` for each of these events; what it returns is the acknowledgement.
    @discardableResult
    public func on<R, each A>(
        _ event: AckEvent<R, repeat each A>,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        self.listen(event.name, once: false, handler)
    }

    // MARK: Once

    /// Calls `handler` for the next event of this name only. One whose arguments do not fit is that event too: it is reported, and
    /// no other is waited for.
    @discardableResult @_disfavoredOverload
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> ListenerToken {
        self.listen(event, once: true, handler)
    }

    /// Calls `handler` for the next event of this name only.
    @discardableResult @_disfavoredOverload
    public func once<each A: Decodable & Sendable>(
        _ event: String,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        self.listen(event, once: true, handler)
    }

    /// Calls `handler` for the next event of this name only; what it returns is the acknowledgement.
    @discardableResult
    public func once<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> ListenerToken {
        self.listen(event, once: true, handler)
    }

    /// Calls `handler` for the next of these events only.
    @discardableResult
    public func once<each A>(
        _ event: Event<repeat each A>,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> ListenerToken {
        self.listen(event.name, once: true, handler)
    }

    // MARK: The ways into a handler

    private func listen<each A: Decodable & Sendable>(
        _ event: String,
        once: Bool,
        _ handler: @escaping @Sendable (repeat each A) throws -> Void
    ) -> ListenerToken {
        let answers = takesReply(repeat (each A).self)
        return self.eventListeners.add(event, once, answers ? .answers : .nothing) { arguments, call in
            var arguments = arguments
            try handler(repeat try arguments.argument((each A).self, ack: call.ack))
            if call.answersEmpty, !answers { call.ack?.send() }
        }
    }

    private func listen<each A: Decodable & Sendable>(
        _ event: String,
        once: Bool,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> Void
    ) -> ListenerToken {
        let answers = takesReply(repeat (each A).self)
        return self.eventListeners.add(event, once, answers ? .answers : .nothing) { arguments, call in
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
        _ handler: @escaping @Sendable (repeat each A) throws -> R
    ) -> ListenerToken {
        let isSeveral = R.self is any AcknowledgementValues.Type
        return self.eventListeners.add(event, once, .answers) { arguments, call in
            var arguments = arguments
            let result = try handler(repeat try arguments.argument((each A).self, ack: call.ack))
            call.ack?.answer(result, isSeveral: isSeveral)
        }
    }

    private func listen<each A: Decodable & Sendable, R: Encodable & Sendable>(
        _ event: String,
        once: Bool,
        _ handler: @escaping @concurrent @Sendable (repeat each A) async throws -> R
    ) -> ListenerToken {
        let isSeveral = R.self is any AcknowledgementValues.Type
        return self.eventListeners.add(event, once, .answers) { arguments, call in
            var arguments = arguments
            let values = (repeat try arguments.argument((each A).self, ack: call.ack))
            call.start {
                let result = try await handler(repeat each values)
                call.ack?.answer(result, isSeveral: isSeveral)
            }
        }
    }
}
