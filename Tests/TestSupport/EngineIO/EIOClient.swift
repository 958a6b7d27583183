import NIOCore

/// A session of Engine.IO 4 over polling or WebSocket that behaves as the official client does.
///
/// It reads by itself: polls follow each other, pings are answered, messages go to an inbox. A client that is not closed
/// goes on until the server ends the session. One client costs one task and up to two sockets.
package final class EIOClient: Sendable {
    /// What a receiver is told, one at a time and in order.
    package enum Event: Sendable {
        /// A message arrived.
        case message(EIOMessage)
        /// The session ended; the last event.
        case closed(EIOClosed)
    }

    struct State: Sendable {
        var transport: EIOOptions.Transport
        var webSocket: WSClient?
        var inbox = FIFO<EIOMessage>()
        /// Packets that wait for a POST, or for the end of an upgrade.
        var outbox: [EIOPacket] = []
        var isPolling = false
        var isPosting = false
        var isUpgrading = false
        /// Step 3 of an upgrade: no new request, packets are kept back.
        var holdsBack = false
        var isPaused = false
        var isClosing = false
        var closed: EIOClosed?
        var autoPong: Bool
        var counts = EIOCounts()
        var heartbeat: Scheduled<Void>?

        var summary: String {
            let end = closed.map { "closed: \($0.reason)" } ?? "open"
            return "\(transport.rawValue), \(end), \(inbox.count) in inbox, \(outbox.count) in outbox, \(counts)"
        }
    }

    /// What the server said when the session opened.
    package let handshake: EIOHandshake
    /// The options it was opened with.
    package let options: EIOOptions
    let state: Awaited<State>
    let get: HTTPClient1
    let post: HTTPClient1
    private let receiver: (@Sendable (Event) -> Void)?

    private init(
        _ options: EIOOptions, _ handshake: EIOHandshake, get: HTTPClient1, webSocket: WSClient?,
        receiver: (@Sendable (Event) -> Void)?
    ) {
        self.options = options
        self.handshake = handshake
        self.get = get
        self.receiver = receiver
        post = HTTPClient1(host: options.host, port: options.port, receiveBuffer: options.receiveBuffer)
        let state = State(transport: options.transport, webSocket: webSocket, autoPong: options.autoPong)
        self.state = Awaited(state) { $0.summary }
    }

    /// Opens a session.
    ///
    /// - Parameter receiver: gets everything instead of the inbox; it must be quick and must not wait.
    /// - Throws: `EIORefused` when the server answers with an error.
    package static func open(
        _ options: EIOOptions, receiver: (@Sendable (Event) -> Void)? = nil
    ) async throws -> EIOClient {
        let get = HTTPClient1(host: options.host, port: options.port, receiveBuffer: options.receiveBuffer)
        switch options.transport {
        case .polling:
            let reply = try await get.request(
                "GET", requestPath(options, .polling, sid: nil), headers: pollingHeaders(options),
                timeout: options.timeout)
            guard reply.status == 200 else { throw EIORefused(reply: reply) }
            let packets = try EIOPacket.payload(reply.body)
            let handshake = try handshake(packets.first)
            let client = EIOClient(options, handshake, get: get, webSocket: nil, receiver: receiver)
            client.armHeartbeat()
            for packet in packets.dropFirst() { client.receive(packet) }
            Task { await client.poll() }
            return client
        case .websocket:
            do {
                let webSocket = try await WSClient.connect(
                    host: options.host, port: options.port, path: requestPath(options, .websocket, sid: nil),
                    headers: options.headers, receiveBuffer: options.receiveBuffer, timeout: options.timeout)
                let text = try await webSocket.nextText(timeout: options.timeout)
                let handshake = try handshake(EIOPacket(parsing: text[...]))
                let client = EIOClient(options, handshake, get: get, webSocket: webSocket, receiver: receiver)
                client.armHeartbeat()
                Task { await client.read(webSocket) }
                return client
            } catch let refused as WSRefused {
                throw EIORefused(reply: refused.reply)
            }
        }
    }

    private static func handshake(_ packet: EIOPacket?) throws -> EIOHandshake {
        guard case .text(let text) = packet, text.hasPrefix("0") else {
            throw PeerError("no open packet but \(packet.map { "\($0)" } ?? "nothing")")
        }
        return try EIOHandshake(json: text.withoutType)
    }

    /// The target of a request as the official client writes it.
    package static func requestPath(
        _ options: EIOOptions, _ transport: EIOOptions.Transport, sid: String?
    ) -> String {
        var path = options.path + "?" + options.query + (options.query.isEmpty ? "" : "&")
        path += "EIO=4&transport=\(transport.rawValue)"
        if transport == .polling { path += "&t=" + String(UInt32.random(in: 0...UInt32.max), radix: 36) }
        if let sid { path += "&sid=" + sid }
        return path
    }

    static func pollingHeaders(_ options: EIOOptions) -> [(String, String)] {
        [("Accept", "*/*")] + options.headers
    }

    // MARK: State

    /// Session id.
    package var sid: String { handshake.sid }
    /// The transport in use.
    package var transport: EIOOptions.Transport { state.update { $0.transport } }
    /// The WebSocket in use, for raw frames and resets.
    package var webSocket: WSClient? { state.update { $0.transport == .websocket ? $0.webSocket : nil } }
    /// What was seen and sent so far.
    package var counts: EIOCounts { state.update { $0.counts } }
    /// Number of messages in the inbox.
    package var pendingMessages: Int { state.update { $0.inbox.count } }
    /// Why the session is closed, nil while it is open.
    package var closed: EIOClosed? { state.update { $0.closed } }

    /// Whether pings are answered.
    package func setAutoPong(_ isOn: Bool) {
        state.update { $0.autoPong = isOn }
    }

    // MARK: Sending

    /// Sends a text message. Calls from one task keep their order; the message may wait for a request or an upgrade.
    ///
    /// - Throws: `EIOClosed`.
    package func send(_ text: String) throws {
        try enqueue([EIOPacket(.text(text))]) { $0.messagesOut += 1 }
    }

    /// Sends a binary message.
    package func send(_ bytes: [UInt8]) throws {
        try enqueue([EIOPacket(.binary(bytes))]) { $0.messagesOut += 1 }
    }

    /// Sends messages that nothing comes between.
    package func send(_ messages: [EIOMessage]) throws {
        try enqueue(messages.map(EIOPacket.init)) { $0.messagesOut += messages.count }
    }

    /// Sends a text packet as it is, with its type character, right or wrong.
    package func sendPacket(_ text: String) throws {
        try enqueue([.text(text)]) { _ in }
    }

    /// Waits until all that was sent is out: answered POST requests, or taken by the kernel.
    package func flushed(timeout: Duration = defaultTimeout) async throws {
        let webSocket = try await state.wait("the outbox to be sent", timeout: timeout) { state -> WSClient?? in
            if let closed = state.closed { throw closed }
            if state.transport == .websocket { return .some(state.webSocket) }
            return state.outbox.isEmpty && !state.isPosting ? .some(nil) : nil
        }
        try await webSocket?.connection.flushed(timeout: timeout)
    }

    func enqueue(_ packets: [EIOPacket], _ count: (inout EIOCounts) -> Void) throws {
        let startsPosting = try state.update { state in
            if let closed = state.closed { throw closed }
            count(&state.counts)
            if state.transport == .websocket, let webSocket = state.webSocket {
                webSocket.connection.enqueue(packets.flatMap { $0.frame.encoded() })
                return false
            }
            state.outbox += packets
            if state.isPosting || state.holdsBack { return false }
            state.isPosting = true
            return true
        }
        if startsPosting { Task { await self.postOutbox() } }
    }

    // MARK: Receiving

    /// Waits for the next message. Messages that arrived before the end of the session can be taken after it.
    ///
    /// - Throws: `EIOClosed`, `TimeoutError`.
    package func nextMessage(timeout: Duration = defaultTimeout) async throws -> EIOMessage {
        try await state.wait("a message", timeout: timeout) { state in
            if let message = state.inbox.popFirst() { return message }
            if let closed = state.closed { throw closed }
            return nil
        }
    }

    /// Waits for the next message, which must be text.
    package func nextText(timeout: Duration = defaultTimeout) async throws -> String {
        let message = try await nextMessage(timeout: timeout)
        guard case .text(let text) = message else { throw PeerError("expected text, got \(message)") }
        return text
    }

    /// Waits for the next message, which must be binary.
    package func nextBinary(timeout: Duration = defaultTimeout) async throws -> [UInt8] {
        let message = try await nextMessage(timeout: timeout)
        guard case .binary(let bytes) = message else { throw PeerError("expected bytes, got \(message)") }
        return bytes
    }

    /// Waits until the counts, or anything else that changes with them, satisfy a condition.
    package func waitForCounts(
        _ what: String, timeout: Duration = defaultTimeout, _ condition: @escaping @Sendable (EIOCounts) -> Bool
    ) async throws {
        try await state.wait(what, timeout: timeout) { state in
            if condition(state.counts) { return true }
            if let closed = state.closed { throw closed }
            return nil
        }
    }

    /// Stops reading: no new poll, or no more reads from the WebSocket. A poll under way may still bring messages.
    package func pauseReading() async throws {
        let webSocket = state.update { state in
            state.isPaused = true
            return state.webSocket
        }
        try await webSocket?.connection.pauseReading()
    }

    /// Reads again.
    package func resumeReading() async throws {
        let webSocket = state.update { state in
            state.isPaused = false
            return state.webSocket
        }
        try await webSocket?.connection.resumeReading()
    }

    func receive(_ packet: EIOPacket) {
        switch packet {
        case .binary(let bytes):
            deliver(.binary(bytes), size: bytes.count)
        case .text(let text):
            switch text.utf8.first {
            case UInt8(ascii: "4"):
                deliver(.text(text.withoutType), size: text.utf8.count - 1)
            case UInt8(ascii: "1"):
                finish("transport close", "the server sent a close packet")
            case UInt8(ascii: "2"):
                receivePing(text.withoutType)
            case UInt8(ascii: "6"):
                state.update { $0.counts.noops += 1 }
            default:
                finish("parse error", "unexpected packet \"\(text.prefix(60))\"")
            }
        }
    }

    private func deliver(_ message: EIOMessage, size: Int) {
        let isOpen = state.update { state in
            guard state.closed == nil else { return false }
            state.counts.messagesIn += 1
            state.counts.bytesIn += size
            if receiver == nil { state.inbox.append(message) }
            return true
        }
        if isOpen { receiver?(.message(message)) }
    }

    private func receivePing(_ data: String) {
        armHeartbeat()
        let answers = state.update { state in
            state.counts.pings += 1
            return state.autoPong
        }
        // An error means that the session closed meanwhile: nobody waits for the pong.
        if answers { try? enqueue([.text("3" + data)]) { $0.pongs += 1 } }
    }

    func armHeartbeat() {
        guard options.watchesHeartbeat else { return }
        let delay = TimeAmount.milliseconds(Int64(handshake.pingInterval + handshake.pingTimeout))
        let task = PeerLoops.group.next().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            self.finish("ping timeout", "no ping from the server")
        }
        let old = state.update { state in
            guard state.closed == nil else { return Optional(task) }
            let old = state.heartbeat
            state.heartbeat = task
            return old
        }
        old?.cancel()
    }

    /// Ends the session once; later calls do nothing.
    func finish(_ reason: String, _ detail: String) {
        let ended = state.update { state -> (EIOClosed, WSClient?, Scheduled<Void>?)? in
            guard state.closed == nil else { return nil }
            let closed = EIOClosed(reason: state.isClosing ? "forced close" : reason, detail: detail)
            state.closed = closed
            return (closed, state.webSocket, state.heartbeat)
        }
        guard let (closed, webSocket, heartbeat) = ended else { return }
        heartbeat?.cancel()
        get.closeSoon()
        post.closeSoon()
        webSocket?.connection.closeSoon()
        receiver?(.closed(closed))
    }
}
