import EngineIOCore
import Logging
import NIOCore
import SocketIOCore
import Synchronization

extension ClientNamespace {
    /// Starts the handlers of an event, in order.
    func deliver(_ packet: Packet) {
        let event = packet.eventName
        let (catchAll, listeners) = self.listeners.withLock { ($0.catchAll, $0.take(event)) }
        if !catchAll.isEmpty {
            var reader = packet.arguments
            do {
                let arguments = try reader.remainingValues()
                for listener in catchAll { self.start { try await listener.handler(event, arguments) } }
            } catch {
                self.report(error)
            }
        }
        guard let listeners else { return }
        var call = ClientCall(
            ack: packet.id.map { ClientAckSender(self, id: $0, session: self.state.session) },
            answersEmpty: packet.id != nil,
            executor: self.manager.executor,
            report: { self.report($0) }
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
        for listener in listeners { self.start { try await listener.handler(name, arguments) } }
    }

    func hasHooks(_ kind: ClientNotice.Kind) -> Bool { self.listeners.withLock { $0.hooks[kind]?.isEmpty == false } }

    func notify(_ notice: ClientNotice) {
        let hooks = self.listeners.withLock { $0.hooks[notice.kind] ?? [] }
        for hook in hooks { self.start { try await hook.handler(notice) } }
        guard hooks.isEmpty, case .connectError(let error) = notice else { return }
        self.manager.logger.warning(
            "not connected", metadata: ["socketio.namespace": "\(self.name)", "socketio.error": "\(error)"])
    }

    /// Something went wrong that nobody waits for. Called on any thread.
    func report(_ error: any Error) {
        let hooks = self.listeners.withLock { $0.hooks[.error] ?? [] }
        if hooks.isEmpty {
            if let onError = self.onError { return onError(error) }
            self.manager.logger.warning(
                "error", metadata: ["socketio.namespace": "\(self.name)", "socketio.error": "\(error)"])
            return
        }
        self.manager.execute {
            for hook in hooks {
                startTask(on: self.manager.executor) {
                    do { try await hook.handler(.error(error)) } catch {
                        self.manager.logger.warning(
                            "an error handler has thrown", metadata: ["socketio.error": "\(error)"])
                    }
                }
            }
        }
    }

    private func start(_ operation: @escaping @Sendable () async throws -> Void) {
        startTask(on: self.manager.executor) {
            do { try await operation() } catch { self.report(error) }
        }
    }
}

/// Sends the acknowledgement of one event, once, and only over the connection that has brought the event.
final class ClientAckSender: AckSending {
    private let namespace: ClientNamespace
    private let id: Int
    private let session: Int
    private let isSent = Atomic<Bool>(false)

    init(_ namespace: ClientNamespace, id: Int, session: Int) {
        self.namespace = namespace
        self.id = id
        self.session = session
    }

    func send<each V: Encodable>(_ value: repeat each V) {
        guard self.claim() else { return }
        do {
            self.send(packet: try PacketEncoder.ack(id: self.id, namespace: self.namespace.name, repeat each value))
        } catch {
            self.namespace.report(error)
        }
    }

    func send(_ values: any AcknowledgementValues) {
        guard self.claim() else { return }
        do {
            self.send(packet: try values.acknowledgement(id: self.id, namespace: self.namespace.name))
        } catch {
            self.namespace.report(error)
        }
    }

    func send(values: [SocketIOValue]) {
        guard self.claim() else { return }
        do {
            self.send(packet: try PacketEncoder.ack(id: self.id, namespace: self.namespace.name, values: values))
        } catch {
            self.namespace.report(error)
        }
    }

    private func send(packet: EncodedPacket) {
        let bytes = packet.frames.readableBytes
        if !self.namespace.manager.enqueue(.ack(self.namespace, packet, session: self.session), bytes: bytes) {
            self.namespace.report(SocketIOError(.limitExceeded, "too much waits to be sent, an answer was dropped"))
        }
    }

    private func claim() -> Bool {
        self.isSent.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    }
}
