import EngineIO
import NIOCore
import SocketIOCore

/// Events that are not kept: volatile ones, those for this server's sockets only, and what is said before CONNECT is answered.
///
/// They need no offset. But a client takes the text that an event ends with for one, and could not go on with another. Such events
/// get the offset of the last kept one that the client has got before.
extension LocalAdapter {
    /// Sends a packet to this server's sockets.
    func broadcastUnkept(
        _ packet: BroadcastPacket,
        to target: BroadcastTarget,
        _ recovery: NamespaceRecovery
    ) {
        self.sendUnkept(packet, isVolatile: target.flags.volatile, recovery) { table, body in
            table.select(target).forEach(body)
        }
    }

    /// Sends a packet to one socket.
    func emitUnkept(_ packet: BroadcastPacket, to socket: Socket, isVolatile: Bool, _ recovery: NamespaceRecovery) {
        self.sendUnkept(packet, isVolatile: isVolatile, recovery) { _, body in body(socket) }
    }

    /// Puts a packet into the outbox of a socket that is not connected yet. Nil: it is.
    func stageEarly(
        _ socket: Socket,
        _ packet: EncodedPacket,
        _ recovery: NamespaceRecovery
    ) -> EngineIOSession.StagedSend? {
        guard socket.state.withLock({ $0.phase == .connecting }) else { return nil }
        var failure: (any Error)?
        defer { if let failure { socket.report(failure) } }
        // Sockets are connected under the lock.
        return self.table.withLock { _ -> EngineIOSession.StagedSend? in
            guard socket.state.withLock({ $0.phase == .connecting }) else { return nil }
            let frames = packet.endsInText ? recovery.currentOffset.frames(of: packet) : packet.frames
            guard let form = self.form else { return socket.session.stage(frames: frames) }
            do { return socket.session.stage(frames: try form.encode(frames: frames).frames) } catch {
                failure = error
                return nil
            }
        }
    }

    /// The packet is put into the outboxes under the lock, since no kept one may come in between.
    private func sendUnkept(
        _ packet: BroadcastPacket,
        isVolatile: Bool,
        _ recovery: NamespaceRecovery,
        select: (RoomTable, (Socket) -> Void) -> Void
    ) {
        var sent: [(Socket, EngineIOSession.StagedSend)] = []
        var failure: (any Error)?
        self.table.withLock { table in
            let offset = recovery.currentOffset
            var shared: ByteBuffer?
            select(table) { socket in
                // What can't be written for one can't for the next.
                if failure != nil { return }
                do {
                    let own = offset.ahead(of: socket.id)
                    let frames: ByteBuffer
                    if own == nil, let shared {
                        frames = shared
                    } else {
                        frames = try self.encode(frames: (own ?? offset).frames(of: packet.encoded))
                    }
                    if own == nil { shared = frames }
                    if let staged = socket.stage(frames, isVolatile: isVolatile) { sent.append((socket, staged)) }
                } catch {
                    failure = error
                }
            }
        }
        if let failure { self.onUnsent(failure, packet.event) }
        for (socket, staged) in sent { socket.complete(staged, packet) }
    }
}

extension NamespaceRecovery {
    /// The offset of what was put into outboxes last.
    struct CurrentOffset {
        /// Nil: it is not known.
        let text: String?
        let position: RecoveryPosition
        let floors: [String: RecoveryPosition]

        func frames(of packet: EncodedPacket) -> ByteBuffer {
            guard let text = self.text, let stamped = try? PacketEncoder.withOffset(packet, text) else {
                return packet.frames
            }
            return stamped.frames
        }

        /// That of a socket which got more when it came back.
        func ahead(of id: String) -> CurrentOffset? {
            guard let floor = self.floors[id], self.position < floor else { return nil }
            return CurrentOffset(text: floor.text, position: floor, floors: [:])
        }
    }

    /// Only under the lock of the rooms.
    var currentOffset: CurrentOffset {
        let isExternal = self.isExternal.load(ordering: .relaxed)
        return self.state.withLock { state in
            let text: String?
            if isExternal {
                text = state.isLocated ? state.position.text : nil
            } else {
                text = String(decoding: self.offsets.text(state.log.last), as: UTF8.self)
            }
            return CurrentOffset(text: text, position: state.position, floors: state.floors)
        }
    }
}
