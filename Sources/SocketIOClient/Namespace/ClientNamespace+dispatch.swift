import Logging
import SocketIOCore

extension ClientNamespace {
    // MARK: Events

    /// Starts the handlers of an event, in order, or has it wait until others have ended.
    func deliver(_ packet: Packet) {
        if self.handlers.canStart() { return self.run(packet, session: self.state.session) }
        if self.waitingEvents.isEmpty {
            self.manager.logger.warning(
                "events wait: as many handlers run as may", metadata: ["socketio.namespace": "\(self.name)"])
        }
        self.waitingEvents.append(packet, session: self.state.session)
    }

    /// Whether an event may come now. One that may not ends the connection, before anything is noted of it: the server sends it
    /// again if it can recover the session.
    func hasRoom(for packet: Packet) -> Bool {
        self.waitingEvents.isEmpty || self.waitingEvents.hasRoom(for: packet)
    }

    /// Some handler has ended.
    func startWaiting() {
        while self.handlers.canStartNext(isAnyWaiting: !self.waitingEvents.isEmpty) {
            guard let entry = self.waitingEvents.popFirst() else { continue }
            self.run(entry.packet, session: entry.session)
        }
    }

    /// Events that nobody has been told of will not be told any more.
    func forgetWaiting() {
        self.waitingEvents.removeAll()
        self.startWaiting()
    }

    private func run(_ packet: Packet, session: Int) {
        let event = packet.eventName
        let (catchAll, listeners) = self.listeners.withLock { ($0.catchAll, $0.take(event)) }
        if !catchAll.isEmpty {
            var reader = packet.arguments
            do {
                let arguments = try reader.remainingValues()
                for listener in catchAll { self.start(.event) { try await listener.handler(event, arguments) } }
            } catch {
                self.report(error)
            }
        }
        guard let listeners else { return }
        var call = ClientCall(
            namespace: self,
            ack: packet.id.map { ClientAckSender(self, id: $0, session: session) },
            answersEmpty: packet.id != nil
        )
        if listeners.count > 1, listeners.contains(where: \.answers) { call.answersEmpty = false }
        for listener in listeners {
            do { try listener.run(packet.arguments, call) } catch { self.report(error) }
        }
    }

    /// Tells the listeners to what is sent.
    func tellOutgoing(_ packet: EncodedPacket) {
        let listeners = self.listeners.withLock { $0.catchAllOutgoing }
        guard !listeners.isEmpty, let (name, arguments) = try? decodeOwnEvent(packet) else { return }
        for listener in listeners { self.start(.notice) { try await listener.handler(name, arguments) } }
    }

    // MARK: Notices

    func hasHooks(_ kind: ClientNotice.Kind) -> Bool { self.listeners.withLock { $0.hooks[kind]?.isEmpty == false } }

    func notify(_ notice: ClientNotice) {
        let hooks = self.listeners.withLock { $0.hooks[notice.kind] ?? [] }
        // A server may ping without end.
        if notice.kind == .ping, !hooks.isEmpty, self.handlers.isCrowded { return }
        for hook in hooks { self.start(.notice) { try await hook.handler(notice) } }
        guard hooks.isEmpty, case .connectError(let error) = notice else { return }
        self.manager.logger.warning(
            "not connected", metadata: ["socketio.namespace": "\(self.name)", "socketio.error": "\(error)"])
    }

    /// Something went wrong that nobody waits for. Called on any thread.
    func report(_ error: any Error) {
        let hooks = self.listeners.withLock { $0.hooks[.error] ?? [] }
        if hooks.isEmpty, let onError = self.onError { return onError(error) }
        if hooks.isEmpty || self.handlers.isCrowded {
            self.manager.logger.warning(
                "error", metadata: ["socketio.namespace": "\(self.name)", "socketio.error": "\(error)"])
            return
        }
        self.manager.execute {
            for hook in hooks {
                self.start(.notice, { try await hook.handler(.error(error)) }) { thrown in
                    self.manager.logger.warning(
                        "an error handler has thrown", metadata: ["socketio.error": "\(thrown)"])
                }
            }
        }
    }
}
