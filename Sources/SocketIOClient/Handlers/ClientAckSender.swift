import SocketIOCore
import Synchronization

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
