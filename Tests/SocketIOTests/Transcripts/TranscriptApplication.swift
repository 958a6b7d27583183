import NIOCore
import SocketIO

/// The application of the transcripts, which writes down what it sees.
struct TranscriptApplication: Sendable {
    let recorder = Recorder()
    let acknowledgements = Recorder()

    /// Sets up a server as the one of the transcript `name`.
    func install(on io: SocketIOServer, for name: String) {
        for namespace in [io.main, io.of("/admin"), io.of("/mw")] {
            namespace.onConnection { self.connected($0, name) }
        }
        io.of(/^\/dyn-\d+$/).onConnection { self.connected($0, name) }
        if name.hasSuffix("refuses the default namespace") { io.use { _ in throw ConnectError("Not authorized") } }
        io.of("/mw").use { _ in
            throw ConnectError("Not authorized", data: name.hasSuffix("with data") ? ["code": 1] : nil)
        }
    }

    private func connected(_ socket: Socket, _ name: String) {
        let namespace = socket.namespace.name
        let query = socket.handshake.query.map { "\($0.key)=\($0.value)" }.sorted()
        let auth = Self.readable(socket.handshake.auth.isNull ? [:] : socket.handshake.auth)
        self.recorder.add("connection \(namespace) \(socket.id) \(auth) \(query)")
        if name.hasPrefix("event middleware") {
            socket.use { event in
                self.recorder.add("packet \(namespace) \(Self.text([.string(event.name)] + event.arguments))")
                throw TestError("refused")
            }
        } else {
            socket.onAny { event, arguments in
                self.recorder.add("packet \(namespace) \(Self.text([.string(event)] + arguments))")
            }
        }
        socket.onError { error in
            let message = (error as? SocketIOError)?.message ?? (error as? TestError)?.text ?? "\(error)"
            self.recorder.add("error \(namespace) \(message)")
        }
        socket.onDisconnecting { reason in
            let rooms = socket.rooms.map(\.name).sorted()
            self.recorder.add("disconnecting \(namespace) \(reason) \(rooms)")
        }
        socket.onDisconnect { (reason: DisconnectReason) in
            self.recorder.add("disconnect \(namespace) \(reason)")
        }
        self.listen(socket)
        if name.hasPrefix("missed") { socket.emit("welcome", false) }
    }

    private func listen(_ socket: Socket) {
        socket.on("echo") { (all: Arguments, ack: AckReply) in
            if ack.isExpected { ack(arguments: all.values) } else { socket.emit("echo", arguments: all.values) }
        }
        socket.on("ack twice") { (ack: AckReply) in
            ack(1)
            ack(2)
        }
        socket.on("ask me") { await self.ask(socket, 1) }
        socket.on("ask me binary") { await self.ask(socket, .binary(ByteBuffer(bytes: [1]))) }
        socket.on("kick") { (close: Bool?) in socket.disconnect(close: close ?? false) }
        socket.on("send all") {
            socket.emit("a")
            socket.send("b")
            socket.emit(
                "c", SocketIOValue.binary(ByteBuffer(bytes: [1, 2])),
                ["d": SocketIOValue.binary(ByteBuffer(bytes: [3]))])
            socket.emit("d")
        }
    }

    private func ask(_ socket: Socket, _ argument: SocketIOValue) async {
        do {
            let answer: SocketIOValue? = try await socket.emitWithAck("question", argument)
            self.acknowledgements.add(Self.text(answer.map { [$0] } ?? []))
        } catch {
            // The transcript ends before the answer.
        }
    }

    /// Values as they are compared: keys in order, binary data in hexadecimal digits.
    static func text(_ values: [SocketIOValue]) -> String { "\(SocketIOValue.array(values.map(Self.readable)))" }

    private static func readable(_ value: SocketIOValue) -> SocketIOValue {
        switch value {
        case .binary(let bytes):
            let digits = bytes.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            return .string("binary " + digits.joined())
        case .array(let elements): return .array(elements.map(Self.readable))
        case .object(let object):
            return .object(.init(object.sorted { $0.key < $1.key }.map { ($0.key, Self.readable($0.value)) }))
        default: return value
        }
    }
}
