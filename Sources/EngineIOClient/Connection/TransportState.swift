/// Which request, which WebSocket, which write comes next: the client's transports as a value, without any I/O.
///
/// It is told what has happened; ``step(_:)`` then says what to do, one thing at a time until it says nil. What it says counts
/// as done.
struct TransportState: Equatable {
    typealias Transport = EngineClientConfiguration.Transport

    enum Phase: Equatable {
        case idle
        /// The handshake is awaited.
        case opening
        case open
        /// What waits is still sent, then the end.
        case closing
        case closed
    }

    enum Upgrade: Equatable {
        case none
        case wanted
        /// The WebSocket is dialed.
        case connecting
        /// The probe was sent.
        case probing
        /// The probe was answered: requests under way are awaited, no new ones are sent.
        case pausing
    }

    enum Step: Equatable {
        case get
        case post
        /// A WebSocket for a new session.
        case openWebSocket
        /// A WebSocket to move the session to.
        case openProbe
        /// Send the upgrade packet; the WebSocket is the transport from here on.
        case switchTransport
        /// Give frames to the WebSocket.
        case write
        case sendCloseFrame
        /// Everything was said.
        case finish
    }

    /// What the machine can't know by itself.
    struct Facts: Equatable {
        var hasOutbound: Bool
        var canWrite: Bool
    }

    private(set) var phase = Phase.idle
    private(set) var transport = Transport.polling
    private(set) var upgrade = Upgrade.none
    private(set) var isGetting = false
    private(set) var isPosting = false
    private var hasDialed = false
    private var hasSentClose = false

    mutating func open(_ transport: Transport) {
        self = TransportState()
        self.phase = .opening
        self.transport = transport
    }

    mutating func opened(canUpgrade: Bool) {
        guard case .opening = self.phase else { return }
        self.phase = .open
        if canUpgrade, self.transport == .polling { self.upgrade = .wanted }
    }

    /// Another transport may be opened.
    mutating func openingFailed() { self = TransportState() }

    mutating func getEnded() { self.isGetting = false }

    mutating func postEnded() { self.isPosting = false }

    /// Returns whether the probe is to be sent.
    mutating func probeOpened() -> Bool {
        guard case .connecting = self.upgrade else { return false }
        self.upgrade = .probing
        return true
    }

    /// Returns whether it was awaited.
    mutating func probeAnswered() -> Bool {
        guard case .probing = self.upgrade else { return false }
        self.upgrade = .pausing
        return true
    }

    /// Polling goes on.
    mutating func upgradeFailed() { self.upgrade = .none }

    /// An orderly end; an upgrade that is not done is given up. Returns whether there is anything to end in good order.
    mutating func close() -> Bool {
        guard case .open = self.phase else { return false }
        self.phase = .closing
        self.upgrade = .none
        return true
    }

    mutating func closed() {
        self = TransportState()
        self.phase = .closed
    }

    mutating func step(_ facts: Facts) -> Step? {
        switch (self.phase, self.transport) {
        case (.opening, .polling): return self.get()
        case (.opening, .websocket):
            guard !self.hasDialed else { return nil }
            self.hasDialed = true
            return .openWebSocket
        case (.open, .polling): return self.pollingStep(facts)
        case (.open, .websocket): return facts.hasOutbound && facts.canWrite ? .write : nil
        case (.closing, .polling):
            guard !self.isPosting else { return nil }
            return facts.hasOutbound ? self.post() : .finish
        case (.closing, .websocket):
            if facts.hasOutbound { return facts.canWrite ? .write : nil }
            guard !self.hasSentClose else { return nil }
            self.hasSentClose = true
            return .sendCloseFrame
        case (.idle, _), (.closed, _): return nil
        }
    }

    private mutating func pollingStep(_ facts: Facts) -> Step? {
        if case .pausing = self.upgrade {
            guard !self.isGetting, !self.isPosting else { return nil }
            self.upgrade = .none
            self.transport = .websocket
            return .switchTransport
        }
        if let get = self.get() { return get }
        if facts.hasOutbound, !self.isPosting { return self.post() }
        guard case .wanted = self.upgrade else { return nil }
        self.upgrade = .connecting
        return .openProbe
    }

    private mutating func get() -> Step? {
        guard !self.isGetting else { return nil }
        self.isGetting = true
        return .get
    }

    private mutating func post() -> Step {
        self.isPosting = true
        return .post
    }
}
