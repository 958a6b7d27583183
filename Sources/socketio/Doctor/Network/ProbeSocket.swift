import EngineIOCore
import NIOCore

/// A WebSocket to the server, or the answer to the attempt.
struct ProbeSocket {
    private var connection: ProbeConnection
    private var decoder = WebSocketDecoder(maxMessageBytes: ProbeReader.maxBytes, expectsMask: false)
    private var waiting: [WebSocketMessage] = []

    enum Opening {
        case open(ProbeSocket, ProbeAnswer)
        case refused(ProbeAnswer)
    }

    /// - Parameter origin: as a browser sends it.
    static func open(
        _ target: ProbeTarget, sid: String? = nil, origin: String? = nil
    ) async throws(WireFailure) -> Opening {
        let start = ContinuousClock.now
        var connection = try await target.connect()
        let timer = connection.limit(target.timeout)
        defer { timer.cancel() }
        let key = WebSocketAccept.randomKey()
        var headers = [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key),
        ]
        if let origin { headers.append(("Origin", origin)) }
        let request = ProbeTarget.Request(target: target.target("websocket", sid: sid), headers: headers)
        connection.write(target.bytes(request, closes: false))
        do {
            var reader = AnswerReader()
            var answer = try await reader.next(from: &connection)
            answer.time = ContinuousClock.now - start
            guard answer.status == 101, answer.first("sec-websocket-accept") == WebSocketAccept.value(forKey: key)
            else {
                connection.close()
                return .refused(answer)
            }
            var socket = ProbeSocket(connection)
            try socket.decode(reader.rest)
            return .open(socket, answer)
        } catch {
            connection.close()
            throw WireFailure(error)
        }
    }

    private init(_ connection: ProbeConnection) { self.connection = connection }

    /// The next text that fits.
    ///
    /// - Returns: nil if the server ends the connection before.
    mutating func text(
        within timeout: Duration, where isWanted: (String) -> Bool = { _ in true }
    ) async throws(WireFailure) -> String? {
        let timer = self.connection.limit(timeout)
        defer { timer.cancel() }
        while let message = try await self.message() {
            if case .text(let text) = message, isWanted(String(buffer: text)) { return String(buffer: text) }
        }
        return nil
    }

    /// How long a ping of WebSocket takes to be answered.
    mutating func roundTrip(within timeout: Duration) async throws(WireFailure) -> Duration? {
        let timer = self.connection.limit(timeout)
        defer { timer.cancel() }
        let start = ContinuousClock.now
        self.send(.ping, ByteBuffer(string: "doctor"))
        while let message = try await self.message() {
            if case .pong = message { return ContinuousClock.now - start }
        }
        return nil
    }

    mutating func send(_ text: String) { self.send(.text, ByteBuffer(string: text)) }

    func close() { self.connection.close() }

    private mutating func message() async throws(WireFailure) -> WebSocketMessage? {
        while self.waiting.isEmpty {
            guard let bytes = try await self.connection.read() else { return nil }
            try self.decode(bytes)
        }
        let message = self.waiting.removeFirst()
        switch message {
        case .close: return nil
        case .ping(let payload): self.send(.pong, payload)
        default: break
        }
        return message
    }

    private mutating func decode(_ bytes: ByteBuffer) throws(WireFailure) {
        do { try self.decoder.decode(bytes, into: &self.waiting) } catch {
            throw .other("it breaks a rule of WebSocket: \(error.message)")
        }
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        var frame = ByteBuffer()
        var source = SystemRandomNumberGenerator()
        WebSocketFrame.appendMasked(opcode: opcode, payload: payload, key: source.next(), to: &frame)
        self.connection.write(frame)
    }
}
