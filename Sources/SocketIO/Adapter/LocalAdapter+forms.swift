import EngineIO
import NIOCore
import SocketIOCore

/// Packets in another form than the default one.
extension LocalAdapter {
    /// A broadcast that is not kept: its packet is made once for all sockets.
    func broadcast(_ packet: BroadcastPacket, to target: BroadcastTarget, as form: any PacketForm) {
        var sockets: [Socket] = []
        self.select(target).forEach { sockets.append($0) }
        guard !sockets.isEmpty else { return }
        do {
            let frames = try form.encode(frames: packet.encoded.frames).frames
            for socket in sockets {
                socket.deliver(
                    frames, isVolatile: target.flags.volatile, key: target.flags.conflationKey, event: packet)
            }
        } catch {
            self.onUnsent(error, packet.event)
        }
    }

    /// A packet as it is sent.
    @inline(__always)
    func encode(frames: ByteBuffer) throws(SocketIOError) -> ByteBuffer {
        guard let form = self.form else { return frames }
        return try form.encode(frames: frames).frames
    }
}

extension Socket {
    /// Sends a packet in another form than the default one.
    ///
    /// - Throws: why it can't be written.
    func sendOrThrow(_ packet: EncodedPacket, as form: any PacketForm) throws {
        let frames = try form.encode(frames: packet.frames).frames
        if self.hasOutgoingListeners.load(ordering: .relaxed) { self.tellOutgoing(packet) }
        guard !self.isGone.load(ordering: .relaxed) else { return }
        self.note(self.session.send(frames: frames))
    }

    /// Sends a packet in another form than the default one. One that can't be written is told to the error hook.
    func send(_ packet: EncodedPacket, isVolatile: Bool, key: String? = nil, as form: any PacketForm) {
        do {
            let frames = try form.encode(frames: packet.frames).frames
            self.note(self.session.send(frames: frames, isVolatile: isVolatile, key: key))
        } catch {
            self.report(error)
        }
    }
}
