import EngineIOCore
import NIOCore
import NIOPosix
import SocketIOCore
import Synchronization

/// A Socket.IO client that does what the checks need: it joins one namespace, keeps the events that come, and answers those
/// that want it.
final class SuiteClient: Sendable {
    struct Received: Sendable {
        var name: String
        var arguments: [SocketIOValue]
        var wantsAnswer: Bool
    }

    struct State: Sendable {
        var id: String?
        var events: [Received] = []
        var isDisconnected = false
        var answer: SocketIOValue?
        var fault: String?
    }

    let state = Mutex(State())
    private let channel: any Channel

    private init(channel: any Channel) { self.channel = channel }

    static func connect(port: Int, namespace: String) async throws -> SuiteClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: port).get()
        let client = SuiteClient(channel: channel)
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(SuiteClientHandler(client: client, namespace: namespace))
        }.get()
        let request = """
            GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
            \r

            """
        try await channel.writeAndFlush(ByteBuffer(string: request))
        return client
    }

    var id: String? { self.state.withLock { $0.id } }

    /// What it answers from now on; nil: nothing.
    func setAnswer(_ answer: SocketIOValue?) { self.state.withLock { $0.answer = answer } }

    /// Takes the events up to one of this name, which is taken too; nil if it has not come yet.
    func takeEvents(upTo name: String) -> [Received]? {
        self.state.withLock { state in
            guard let index = state.events.firstIndex(where: { $0.name == name }) else { return nil }
            let taken = Array(state.events[..<index])
            state.events.removeFirst(index + 1)
            return taken
        }
    }

    func close() async { try? await self.channel.close() }
}

/// Reads the answer to the WebSocket handshake and then frames. Confined to its event loop.
private final class SuiteClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let client: SuiteClient
    private let namespace: String
    private var buffer = ByteBuffer()
    private var isUpgraded = false
    private var decoder = PacketDecoder()

    init(client: SuiteClient, namespace: String) {
        self.client = client
        self.namespace = namespace
    }

    private var prefix: String { self.namespace == "/" ? "" : self.namespace + "," }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = Self.unwrapInboundIn(data)
        self.buffer.writeBuffer(&bytes)
        if !self.isUpgraded {
            let text = String(buffer: self.buffer)
            guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return }
            guard text.hasPrefix("HTTP/1.1 101 ") else {
                return self.fail("the handshake was refused: \(text)", context)
            }
            self.buffer.moveReaderIndex(forwardBy: text.utf8.distance(from: text.utf8.startIndex, to: end.upperBound))
            self.isUpgraded = true
        }
        while let frame = WebSocketFrame.next(from: &self.buffer) {
            do { try self.receive(frame.opcode, frame.payload, context) } catch { self.fail("\(error)", context) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.client.state.withLock { $0.isDisconnected = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { self.fail("\(error)", context) }

    private func fail(_ fault: String, _ context: ChannelHandlerContext) {
        self.client.state.withLock { $0.fault = $0.fault ?? fault }
        context.close(promise: nil)
    }

    private func receive(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, _ context: ChannelHandlerContext) throws {
        switch opcode {
        case .text:
            var text = payload
            switch text.readInteger(as: UInt8.self) {
            case UInt8(ascii: "0"): self.send("40" + self.prefix, context)
            case UInt8(ascii: "2"): self.send("3", context)
            case UInt8(ascii: "4"):
                if let packet = try self.decoder.decode(text: text) { self.receive(packet, context) }
            default: break
            }
        case .binary:
            if let packet = try self.decoder.decode(binary: payload) { self.receive(packet, context) }
        default: context.close(promise: nil)
        }
    }

    private func receive(_ packet: Packet, _ context: ChannelHandlerContext) {
        var arguments = packet.arguments
        let values = (try? arguments.remainingValues()) ?? []
        switch packet.type {
        case .connect: self.client.state.withLock { $0.id = values.first?["sid"]?.stringValue }
        case .disconnect: self.client.state.withLock { $0.isDisconnected = true }
        case .event, .binaryEvent:
            let answer = self.client.state.withLock { state in
                state.events.append(
                    .init(name: packet.eventName, arguments: values, wantsAnswer: packet.id != nil))
                return state.answer
            }
            if let id = packet.id, let answer { self.send("43\(self.prefix)\(id)[\(answer)]", context) }
        default: self.fail("unexpected packet \(packet.type): \(values)", context)
        }
    }

    private func send(_ text: String, _ context: ChannelHandlerContext) {
        var frame = ByteBuffer()
        WebSocketFrame.appendMasked(opcode: .text, payload: ByteBuffer(string: text), key: 0x1234_5678, to: &frame)
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }
}

@available(*, unavailable)
extension SuiteClientHandler: Sendable {}
