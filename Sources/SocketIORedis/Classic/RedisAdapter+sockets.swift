import RESP
import SocketIO
import SocketIOCore

/// Joining, leaving, disconnecting. This server's sockets do so at once: the echo of the own request is ignored, unlike in the
/// reference, which waits for it. Requests of others, and of emitters, are executed when they come.
extension RedisAdapter {
    public func socketsJoin(_ rooms: [Room], _ target: BroadcastTarget) {
        self.context.local.socketsJoin(rooms, target)
        self.tellOthers(2, target, "rooms", .array(rooms.map { .string($0.name) }))
    }

    public func socketsLeave(_ rooms: [Room], _ target: BroadcastTarget) {
        self.context.local.socketsLeave(rooms, target)
        self.tellOthers(3, target, "rooms", .array(rooms.map { .string($0.name) }))
    }

    public func disconnectSockets(_ target: BroadcastTarget, close: Bool) {
        self.context.local.disconnectSockets(target, close: close)
        self.tellOthers(4, target, "close", .bool(close))
    }

    private func tellOthers(_ type: Int, _ target: BroadcastTarget, _ key: String, _ value: SocketIOValue) {
        var target = target
        target.removeDuplicates()
        let request: SocketIOValue = .object([
            "uid": .string(self.uid), "type": .int(type), "opts": ClassicPacket.options(target), key: value,
        ])
        do { try self.publish(self.channels.request, try JSONText.write(request)) } catch {
            self.context.report(SocketIOError.notSent("a request", error), nil)
        }
    }
}
