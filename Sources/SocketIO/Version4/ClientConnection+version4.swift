import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore

/// Clients of Socket.IO protocol 4, which come with Engine.IO protocol 3: what they send is made into packets of protocol 5 before
/// anything else sees it; what is answered to CONNECT is theirs, and the ids of their sockets are made of the session's.
extension ClientConnection {
    /// The server joins the client to `/` by itself, behind the handshake's answer.
    func beginVersion4() {
        self.session.loop.eventLoop.execute {
            self.session.enqueue { loop in
                if !self.isClosing { self.receive(.connect(namespace: "/"), on: loop) }
            }
        }
    }

    /// The packet as a client of protocol 5 would have sent it. The query of a namespace is no part of its name, in any packet; in
    /// CONNECT it is what the client says of itself. It has ``QueryParameters/maxBytes`` at the most, beside those of a name.
    ///
    /// - Throws: `limitExceeded` if the name alone is too long.
    func version5(_ packet: Packet) throws(SocketIOError) -> Packet {
        let mark = packet.namespace.utf8.firstIndex(of: UInt8(ascii: "?"))
        let name = mark.map { String(packet.namespace[..<$0]) } ?? packet.namespace
        let limit = self.server.packetLimits.maxNamespaceLength
        guard name.utf8.count <= limit else {
            throw SocketIOError(.limitExceeded, "the namespace is longer than \(limit) bytes")
        }
        guard mark != nil else { return packet }
        guard packet.type == .connect else { return packet.renamed(name) }
        var auth = SocketIOValue.Object()
        for (key, value) in QueryParameters(uri: packet.namespace).pairs {
            switch auth[key] {
            case nil: auth[key] = .string(value)
            // As in the reference, a key that is repeated has all its values.
            case .array(let values)?: auth[key] = .array(values + [.string(value)])
            case let first?: auth[key] = .array([first, .string(value)])
            }
        }
        return .connect(namespace: name, auth: auth)
    }

    /// Both sides know a socket by an id that was never sent: that of the session, with the namespace if it is not `/`.
    func makeSocketID(_ namespace: Namespace, on loop: LoopContext) -> String {
        guard self.isVersion4 else { return loop.makeID() }
        return namespace.name == "/" ? self.session.id : namespace.name + "#" + self.session.id
    }

    /// The answer to CONNECT.
    func connectPacket(_ socket: Socket) -> EncodedPacket {
        if self.isVersion4 { return PacketEncoder.version4Connect(namespace: socket.namespace.name) }
        return PacketEncoder.connect(
            namespace: socket.namespace.name, sid: socket.id, pid: socket.pid, failure: socket.recoveryFailure)
    }

    /// The answer to CONNECT for a namespace into which the client may not come.
    func refusalPacket(
        _ namespace: String, _ error: ConnectError, _ result: JoinLabel
    ) throws(SocketIOError) -> EncodedPacket {
        // That there is no such namespace is said in the words of protocol 5.
        guard self.isVersion4, result != .unknownNamespace else {
            return try PacketEncoder.connectError(namespace: namespace, message: error.message, data: error.data)
        }
        return try PacketEncoder.version4Error(namespace: namespace, message: error.message, data: error.data)
    }
}
