import NIOCore
import SocketIO
import TestSupport
import Testing

/// A parser that refuses what the tests want it to.
private struct PickyParser: SocketIOParser {
    struct Refusal: Error {}

    func encode(_ packet: SocketIOPacket) throws -> [EngineMessage] {
        if packet.data?[0] == "unspeakable" { throw Refusal() }
        if packet.data?[0] == "nothing" { return [] }
        if packet.data?[0] == "forged" { return [.text(ByteBuffer(string: "2;/;\u{1E}1"))] }
        if packet.data?[0] == "no UTF-8" { return [.text(ByteBuffer(bytes: [0xFF]))] }
        var text = "\(packet.kind.rawValue);\(packet.namespace);"
        if let id = packet.id { text += "\(id)" }
        guard let data = packet.data else { return [.text(ByteBuffer(string: text))] }
        return [.text(ByteBuffer(string: text + ";")), .binary(ByteBuffer(string: data.description))]
    }

    func makeDecoder(limits: ParserLimits) -> Decoder { Decoder(limits: limits) }

    /// `kind;namespace;id`, and a data that is not read: the name of an event is the text of the second message.
    struct Decoder: SocketIOPacketDecoder {
        let limits: ParserLimits
        var pending: SocketIOPacket?

        mutating func feed(_ message: EngineMessage) throws -> SocketIOPacket? {
            switch (message, self.pending) {
            case (.text(let text), nil):
                let parts = String(buffer: text).split(separator: ";", omittingEmptySubsequences: false)
                guard parts.count >= 3, let kind = Int(parts[0]).flatMap({ SocketIOPacket.Kind(rawValue: $0) }) else {
                    throw Refusal()
                }
                let packet = SocketIOPacket(kind, namespace: String(parts[1]), id: Int(parts[2]))
                if parts.count == 3 { return packet }
                self.pending = packet
                return nil
            case (.binary(let bytes), var packet?):
                self.pending = nil
                packet.data = packet.kind == .connect ? [:] : .array([.string(String(buffer: bytes)), "more"])
                if bytes.readableBytes == 0 {
                    packet.data = (0...self.limits.maxDepth).reduce(.null) { value, _ in .array([value]) }
                }
                return packet
            default: throw Refusal()
            }
        }
    }
}

/// What a server makes of a parser that is not its own.
@Suite struct CustomParserTests {
    private static func run(
        _ configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int) async throws -> Void
    ) async throws {
        try await withServer { configuration in
            configuration.parser = .custom(PickyParser())
            configure(&configuration)
        } _: { io, port in
            try await body(io, port)
        }
    }

    private static func join(_ port: Int) async throws -> EIOClient {
        let client = try await EIOClient.open(EIOOptions(port: port, transport: .websocket))
        try client.send("0;/;")
        #expect(try await client.nextText() == "0;/;;")
        #expect(String(decoding: try await client.nextBinary(), as: UTF8.self).hasPrefix("{\"sid\":"))
        return client
    }

    @Test func severalMessages() async throws {
        try await Self.run { io, port in
            io.onConnection { socket in
                socket.onAny { event, values in socket.emit("got", "\(event) \(values)") }
                socket.on("question") { 7 }
            }
            let client = try await Self.join(port)
            try client.send([.text("2;/;;"), .binary(Array("hello".utf8))])
            #expect(try await client.nextText() == "2;/;;")
            #expect(try await client.nextBinary() == Array(#"["got","hello [\"more\"]"]"#.utf8))
            try client.send([.text("2;/;5;"), .binary(Array("question".utf8))])
            #expect(try await client.nextText() == "2;/;;")
            _ = try await client.nextBinary()
            #expect(try await client.nextText() == "3;/;5;")
            #expect(try await client.nextBinary() == Array("[7]".utf8))
            io.disconnectSockets()
            #expect(try await client.nextText() == "1;/;")
            await client.close()
        }
    }

    /// What a parser can't write is told to the error hooks; all else goes on.
    @Test func unspeakable() async throws {
        for recovers in [false, true] {
            let errors = ErrorRecorder()
            try await Self.run({ if recovers { $0.connectionStateRecovery = .init() } }) { io, port in
                io.onError { error, _ in errors.add(error) }
                let client = try await Self.join(port)
                let socket = try await onlySocket(io.main)
                socket.emit("unspeakable")
                socket.volatile.emit("unspeakable", "text")
                socket.conflating("key").emit("unspeakable")
                io.emit("unspeakable")
                io.volatile.emit("unspeakable", "text")
                io.emit("nothing")
                io.emit("forged")
                socket.emit("no UTF-8")
                // Nobody waits for an answer to what was not sent, and the caller is told why.
                let failure = await #expect(throws: SocketIOError.self) {
                    _ = try await socket.emitWithAck("unspeakable", as: Int.self)
                }
                #expect(failure?.code == .encodingFailed)
                io.emit("after")
                #expect(try await client.nextText() == "2;/;;")
                #expect(String(decoding: try await client.nextBinary(), as: UTF8.self).hasPrefix("[\"after\""))
                #expect(errors.codes == Array(repeating: .encodingFailed, count: 8))
                #expect(errors.all.first.map { "\($0)".contains("Refusal") } == true)
                await client.close()
            }
        }
    }

    /// What it refuses to read ends the connection, and so does what exceeds a limit.
    @Test(arguments: [
        [EIOMessage.text("what")], [.binary([1])], [.text("2;/;;"), .text("2;/;;")], [.text("2;/;;"), .binary([])],
        [.text("2;x;;"), .binary([1])], [.text("2;/;-1;"), .binary([1])], [.text("2;/;")],
        [.text("2;/;;"), .binary(Array("connect".utf8))],
    ])
    func unreadable(_ messages: [EIOMessage]) async throws {
        let recorder = Recorder()
        try await Self.run { io, port in
            io.onConnection { socket in
                socket.onAny { event, _ in recorder.add("event \(event)") }
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
            }
            let client = try await Self.join(port)
            try client.send(messages)
            try await client.waitForClose()
            try await recorder.wait(for: "forced close")
            #expect(recorder.all == ["forced close"])
        }
    }

    /// The rest of a packet must come in time.
    @Test func withheld() async throws {
        try await Self.run({ $0.attachmentsTimeout = .milliseconds(50) }) { io, port in
            let client = try await Self.join(port)
            try client.send("2;/;;")
            try await client.waitForClose()
        }
    }
}
