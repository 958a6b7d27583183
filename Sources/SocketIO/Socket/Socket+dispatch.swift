import EngineIO
import EngineIOCore
import SocketIOCore

extension Socket {
    /// An event has come. The caller holds the gate of the session.
    func receive(_ event: String, _ arguments: ArgumentReader, ackID: Int?, on loop: LoopContext) {
        // It is known to its connection only once it is connected.
        guard !self.isGone.load(ordering: .relaxed) else { return }
        let (listeners, isPlain) = self.listeners.withLock { table in
            let isPlain = table.middlewares.isEmpty && table.catchAll.isEmpty
            return (isPlain ? table.events.take(event) : .none, isPlain)
        }
        if isPlain { return self.call(listeners, event, arguments, ackID: ackID, on: loop) }
        do {
            var reader = arguments
            let incoming = IncomingEvent(name: event, arguments: try reader.remainingValues())
            self.receiveThroughMiddlewares(incoming, ackID: ackID, on: loop)
        } catch {
            self.report(error, event: event)
        }
    }

    private func receiveThroughMiddlewares(_ incoming: IncomingEvent, ackID: Int?, on loop: LoopContext) {
        let middlewares = self.listeners.withLock { $0.middlewares }
        guard !middlewares.isEmpty else { return self.callAll(incoming, ackID: ackID, on: loop) }
        let namespace = self.namespace.name
        self.connection.beginPassing(namespace)
        startTask(on: loop.executor) {
            var event = incoming
            do {
                for middleware in middlewares { try await middleware(&event) }
            } catch {
                self.report(error, event: event.name)
                return self.session.enqueue { loop in self.connection.endPassing(namespace, on: loop) }
            }
            let passed = event
            self.session.enqueue { loop in
                if self.connected { self.callAll(passed, ackID: ackID, on: loop) }
                self.connection.endPassing(namespace, on: loop)
            }
        }
    }

    /// Calls the listeners to all events, then the event's own.
    private func callAll(_ incoming: IncomingEvent, ackID: Int?, on loop: LoopContext) {
        let (catchAll, listeners) = self.listeners.withLock { ($0.catchAll, $0.events.take(incoming.name)) }
        for listener in catchAll {
            do { try listener.handler(incoming.name, incoming.arguments) } catch {
                self.report(error, event: incoming.name)
            }
        }
        if case .none = listeners { return }
        do {
            let reader = try ArgumentReader(values: incoming.arguments)
            self.call(listeners, incoming.name, reader, ackID: ackID, on: loop)
        } catch {
            self.report(error, event: incoming.name)
        }
    }

    private func call(
        _ listeners: Listeners,
        _ event: String,
        _ arguments: ArgumentReader,
        ackID: Int?,
        on loop: LoopContext
    ) {
        if case .none = listeners { return }
        let invocation = Invocation(
            origin: .socket(self),
            event: event,
            ack: ackID.map { AckSender(socket: self, id: $0) },
            answersEmpty: ackID != nil && listeners.answerEmpty,
            executor: loop.executor
        )
        if let observation = self.namespace.observation {
            return observation.call(listeners, arguments, invocation, on: loop)
        }
        listeners.forEach { listener in
            do { try listener.run(arguments, invocation) } catch { self.report(error, event: event) }
        }
    }

    /// Tells the listeners to what is sent. Acknowledgements are not told.
    func tellOutgoing(_ packet: EncodedPacket) {
        let listeners = self.listeners.withLock { $0.catchAllOutgoing }
        guard !listeners.isEmpty, let (name, arguments) = try? decodeOwnEvent(packet) else { return }
        for listener in listeners {
            do { try listener.handler(name, arguments) } catch { self.report(error, event: name) }
        }
    }
}
