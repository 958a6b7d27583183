import EngineIOCore
import Logging
import NIOCore

/// A connection to an Engine.IO server, over polling, WebSocket, or one after the other.
///
/// All of it happens on one event loop, where it must be called too. It keeps itself alive while it is open, and lets go of its
/// handler when it ends.
package final class EngineConnection: @unchecked Sendable {
    package typealias Transport = EngineClientConfiguration.Transport

    package let configuration: EngineClientConfiguration
    package let eventLoop: any EventLoop
    /// What the server said when the connection was opened.
    package internal(set) var handshake: Handshake?
    /// Whether the session is, or was, carried by a WebSocket: what ``EngineClientConfiguration/hasUpgradedBefore`` asks for.
    package internal(set) var didUpgrade = false

    let cookies: CookieJar
    let dialer: Dialer
    var handler: (any EngineConnectionHandler)?
    /// While it is open: nobody else needs to keep it.
    private var selfWhileOpen: EngineConnection?

    var state = TransportState()
    var outbox = Outbox()
    var maskKeys = MaskKeys()
    var requests: RequestBuilder?
    /// Transports that were not tried yet.
    var candidates: [Transport] = []

    var getLink: HTTPLink?
    var postLink: HTTPLink?
    /// What the POST under way had counted in the outbox.
    var postedBytes = 0
    var webSocket: WebSocketLink?
    /// A WebSocket that the session may move to.
    var probe: WebSocketLink?

    var liveness: Liveness?
    var timers = Timers()
    private var isAdvancing = false
    /// More waits than ``highWater``; until less than ``lowWater`` does.
    private var isCongested = false
    private var willTellWritable = false

    private static let highWater = 64 << 10
    private static let lowWater = 16 << 10

    package init(
        _ configuration: EngineClientConfiguration,
        cookies: CookieJar,
        eventLoop: any EventLoop,
        handler: any EngineConnectionHandler
    ) {
        self.configuration = configuration
        self.cookies = cookies
        self.eventLoop = eventLoop
        self.dialer = Dialer(configuration: configuration, eventLoop: eventLoop)
        self.handler = handler
    }

    var logger: Logger { self.configuration.logger }

    /// What carries the session now, or is being tried.
    package var transport: Transport { self.state.transport }

    /// Begins. Once only; what comes of it is told to the handler.
    package func open() {
        guard case .idle = self.state.phase, self.requests == nil else { return }
        self.selfWhileOpen = self
        do {
            self.requests = try RequestBuilder(self.configuration, cookies: self.cookies)
        } catch {
            return self.end("transport error", error)
        }
        self.candidates = self.configuration.transports
        if self.configuration.rememberUpgrade, self.configuration.hasUpgradedBefore,
            let index = self.candidates.firstIndex(of: .websocket)
        {
            self.candidates.remove(at: index)
            self.candidates.insert(.websocket, at: 0)
        }
        guard !self.candidates.isEmpty else {
            return self.end(
                "transport error", EngineClientError(.invalidConfiguration, "`transports` must name one at least"))
        }
        self.openNextTransport()
    }

    // MARK: Sending

    /// Appends a message; it leaves with ``flush()``, or at the latest when something else is sent. First in, first out, over
    /// both transports and the change from one to the other. Dropped when the connection is not open.
    package func send(text: ByteBuffer) { self.append(.message(text)) }

    /// As for text.
    package func send(binary: ByteBuffer) { self.append(.binary(binary)) }

    /// The end of a batch: what was appended is sent, as one write or one POST as far as it fits.
    package func flush() { self.advance() }

    private func append(_ packet: EngineIOPacket) {
        guard case .open = self.state.phase else { return }
        let waiting = self.bufferedBytes
        guard waiting == 0 || packet.dataLength <= self.configuration.maxOutboundBytes - waiting else {
            return self.end(
                "transport error",
                EngineClientError(
                    .outboundLimit,
                    """
                    more than \(self.configuration.maxOutboundBytes) bytes wait for \(self.configuration.url.origin), which \
                    does not take them as fast; send less, or look at `isWritable`
                    """))
        }
        self.outbox.append(packet)
        self.updateCongestion()
    }

    /// Whether it is open and little waits to be sent (64 KiB). When too much did, the handler is told when it is true again.
    package var isWritable: Bool { self.state.phase == .open && !self.isCongested }

    /// Bytes that were appended and have not been given to the system yet (WebSocket), or not been acknowledged (polling).
    package var bufferedBytes: Int {
        self.outbox.bytes + self.postedBytes + (self.webSocket?.pendingBytes ?? 0)
    }

    func updateCongestion() {
        guard case .open = self.state.phase else { return }
        let waiting = self.bufferedBytes
        if waiting > Self.highWater {
            self.isCongested = true
        } else if self.isCongested, waiting <= Self.lowWater {
            self.isCongested = false
            self.tellWritable()
        }
    }

    /// In a turn of its own, since it may come of a call of the owner.
    private func tellWritable() {
        guard !self.willTellWritable else { return }
        self.willTellWritable = true
        self.eventLoop.execute {
            self.willTellWritable = false
            if self.isWritable { self.handler?.engineBecameWritable() }
        }
    }

    // MARK: Closing

    /// Sends what waits, then the packet that ends the session, as far as ``EngineClientConfiguration/closeTimeout`` allows.
    /// Nothing is received from here on. The end is told to the handler: `forced close`.
    package func close() {
        guard self.state.close() else {
            if case .closing = self.state.phase { return }
            return self.cut()
        }
        self.probe?.cut()
        self.probe = nil
        self.timers.cancelAll()
        self.timers.close = self.schedule(self.configuration.closeTimeout) { $0.end("forced close", nil) }
        if case .polling = self.transport { self.outbox.append(.close) }
        self.advance()
    }

    /// Ends at once. The end is told to the handler in a turn of its own: `forced close`.
    package func cut() { self.end("forced close", nil) }

    /// Lets go of everything. The first end counts.
    func end(_ reason: String, _ error: EngineClientError?) {
        guard self.state.phase != .closed else { return }
        self.state.closed()
        self.timers.cancelAll()
        self.cutLinks()
        self.outbox.removeAll()
        self.postedBytes = 0
        self.liveness = nil
        self.logger.debug(
            "connection ended",
            metadata: ["socketio.reason": "\(reason)", "socketio.error": "\(error.map { "\($0)" } ?? "none")"])
        let handler = self.handler
        self.handler = nil
        self.selfWhileOpen = nil
        self.eventLoop.execute { handler?.engineClosed(EngineEnd(reason: reason, error: error)) }
    }

    func cutLinks() {
        self.getLink?.close()
        self.getLink = nil
        self.postLink?.close()
        self.postLink = nil
        self.webSocket?.cut()
        self.webSocket = nil
        self.probe?.cut()
        self.probe = nil
    }

    // MARK: Steps

    /// Does what is to be done next, until nothing is.
    func advance() {
        guard !self.isAdvancing else { return }
        self.isAdvancing = true
        defer { self.isAdvancing = false }
        while let step = self.state.step(self.facts) { self.perform(step) }
    }

    private var facts: TransportState.Facts {
        TransportState.Facts(hasOutbound: !self.outbox.isEmpty, canWrite: self.webSocket?.isWritable ?? false)
    }

    private func perform(_ step: TransportState.Step) {
        switch step {
        case .get: self.get()
        case .post: self.post()
        case .openWebSocket: self.openWebSocket()
        case .openProbe: self.openProbe()
        case .switchTransport: self.switchTransport()
        case .write: self.write()
        case .sendCloseFrame: self.webSocket?.close()
        case .finish: self.end("forced close", nil)
        }
    }
}
