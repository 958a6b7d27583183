import NIOCore
import SocketIOClient

/// Messages are sent when they are due, whatever has become of those before.
extension BenchWorker {
    /// Messages that are sent before the loop looks after others.
    private static let batch = 128
    /// How soon it is looked again whether more may be on their way.
    private static let heldPause: Int64 = 1_000_000
    private static let rightNow: Int64 = 100_000_000
    /// How long before it is due a message is waited for.
    private static let lead: Int64 = 100_000
    private static let expiryInterval = TimeAmount.milliseconds(100)
    /// How long after the end what was due before it may still be sent.
    static let grace: Int64 = 1_000_000_000

    /// - Parameters:
    ///   - offset: which of `stride` threads with clients this is.
    func beginMessages(_ window: BenchWindow, offset: Int, stride: Int) {
        self.window = window
        self.counts.latencies.prepare()
        self.counts.lags.prepare()
        guard !self.senders.isEmpty else { return }
        self.messages = SendSchedule(
            origin: window.origin, end: window.end, rate: self.plan.rate, offset: offset, stride: stride)
        self.goOnSending()
        self.goOnExpiring()
    }

    /// Nothing is sent any more; what was due before, and before the end, has failed, unless it was to leave right now.
    func stopMessages() {
        guard let messages = self.messages else { return }
        self.messages = nil
        let first = max(messages.taken, messages.count(before: self.window.start))
        let last = min(BenchShared.now - Self.rightNow, self.window.end)
        self.counts.unsent += max(0, messages.count(before: last) - first)
    }

    /// Whether all that was due was sent.
    var hasSentAll: Bool { self.messages.map { $0.next == nil } ?? true }

    private var maxInFlight: Int { max(1, self.plan.maxInFlight / self.plan.threads) }

    /// Always does one thing: ends, or has itself called again, once.
    private func goOnSending() {
        for _ in 0..<Self.batch {
            guard let next = self.messages?.next, !self.senders.isEmpty else { return }
            var now = BenchShared.now
            let isAwaited = next > now
            if isAwaited {
                guard self.isQuiet, next - now <= Self.lead else { return self.wakeEarly(for: next, now) }
                self.prepared = try? self.prepare(self.senders[self.nextTurn])
                repeat { now = BenchShared.now } while now < next
            }
            guard self.flights.table.withLock({ $0.open }) < self.maxInFlight else {
                self.heldUntil = now
                return self.wake(at: now + Self.heldPause) { $0.goOnSending() }
            }
            guard let due = self.messages?.take(at: now) else { continue }
            self.turn = self.nextTurn
            self.send(self.senders[self.turn], due: due, now: now, atOnce: isAwaited)
        }
        self.yield { $0.goOnSending() }
    }

    private var nextTurn: Int { self.turn + 1 < self.senders.count ? self.turn + 1 : 0 }

    /// Whether no reply is awaited, so that nothing is kept from being read.
    private var isQuiet: Bool {
        (self.plan.mode != .broadcast || self.plan.threads == 1) && self.flights.table.withLock { $0.open } == 0
    }

    /// Waking takes the system some time, which would be in the latency. So it wakes earlier, and waits the rest if it is quiet.
    private func wakeEarly(for next: Int64, _ now: Int64) {
        let early = next - Self.lead
        self.wake(at: early > now ? early : next) { $0.goOnSending() }
    }

    /// The next message, of this client.
    ///
    /// - Throws: why it can't be encoded.
    private func prepare(_ place: Int) throws -> PreparedMessage? {
        let number = self.flights.table.withLock { $0.next }
        if let prepared = self.prepared, prepared.place == place, prepared.number == number { return prepared }
        guard let event = self.plan.event else { return nil }
        let client = self.clients[place]
        var filling = ValueTemplate.Filling(room: self.shared.roomName(client.room), client: client.number)
        if self.marksMessages {
            let marker = BenchMarker(
                run: self.shared.run, thread: UInt16(truncatingIfNeeded: self.index), number: number)
            filling.payload = marker.text(length: self.plan.payloadBytes)
        }
        let prepared = try client.socket.prepare(
            event.name, arguments: event.fill(filling), wantsAnswer: self.plan.mode == .ack)
        return PreparedMessage(place: place, number: number, event: prepared)
    }

    /// - Parameter atOnce: it is the only one that is due.
    private func send(_ place: Int, due: Int64, now: Int64, atOnce: Bool) {
        let message = Result { try self.prepare(place) }
        self.prepared = nil
        let client = self.clients[place]
        let replies = self.shared.replies(inRoom: client.room)
        let isBroadcast = self.plan.mode == .broadcast
        let number = self.flights.table.withLock {
            $0.send(due: due, at: now, client: isBroadcast ? nil : client.number, awaiting: replies)
        }
        self.pulse.sent += 1
        if self.window.contains(due) {
            self.counts.sent += 1
            self.counts.expected += replies
            if due > self.heldUntil { self.counts.lags.record(now - due) }
        }
        if self.plan.mode == .echo, !self.marksMessages { self.clients[place].unanswered.append(number) }
        // Last: what fails at once is told before this returns.
        switch message {
        case .success(let message?) where self.plan.mode == .ack:
            client.socket.send(message.event, atOnce: atOnce) { self.answered($0, number, client.number) }
        case .success(let message?): client.socket.send(message.event, atOnce: atOnce)
        case .success(nil): break
        case .failure(let error): self.abandon(number, ConnectErrors.explain(error, namespace: ""))
        }
    }

    /// Whether replies say which message they belong to.
    private var marksMessages: Bool { self.plan.payloadBytes > 0 && self.plan.event?.uses(.payload) == true }

    // MARK: Replies

    /// An event has come that may be a reply.
    func received(_ arguments: ArgumentReader, by place: Int) {
        let now = BenchShared.now
        let client = self.clients[place]
        if self.marksMessages {
            guard let marker = BenchMarker.find(in: arguments), marker.run == self.shared.run,
                self.shared.flights.indices.contains(Int(marker.thread))
            else { return self.receivedUnexpected(now) }
            let flights = self.shared.flights[Int(marker.thread)]
            let due = flights.table.withLock { $0.receive(marker.number, client: client.number) }
            return self.count(due, now)
        }
        // Those that nobody waits for any more are passed over.
        while let number = self.clients[place].unanswered.popFirst() {
            if let due = self.flights.table.withLock({ $0.receive(number, client: client.number) }) {
                return self.count(due, now)
            }
        }
        self.receivedUnexpected(now)
    }

    private func answered(_ result: Result<ArgumentReader, any Error>, _ number: Int, _ client: Int) {
        let now = BenchShared.now
        switch result {
        case .success: self.count(self.flights.table.withLock { $0.receive(number, client: client) }, now)
        case .failure(let error): self.abandon(number, ConnectErrors.explain(error, namespace: ""))
        }
    }

    private func count(_ due: Int64?, _ now: Int64) {
        guard let due else { return self.receivedUnexpected(now) }
        self.pulse.received += 1
        if self.shared.isWatched { self.pulse.latencies.record(now - due) }
        guard self.window.contains(due) else { return }
        self.counts.received += 1
        self.counts.latencies.record(now - due)
        self.counts.lastReceived = now
    }

    private func receivedUnexpected(_ now: Int64) {
        if now >= self.window.start { self.counts.unexpected += 1 }
    }

    private func abandon(_ number: Int, _ reason: String) {
        guard let flight = self.flights.table.withLock({ $0.abandon(number) }), self.window.contains(flight.due),
            !self.isEnding
        else { return }
        self.counts.errors.count(reason, flight.awaited)
    }

    /// The client says that something could not be sent; which message it was it does not.
    func failedToSend(_ reason: String) {
        guard !self.isEnding, BenchShared.now >= self.window.start else { return }
        self.counts.errors.count(reason)
    }

    private func goOnExpiring() {
        guard !self.isEnding else { return }
        let time = BenchShared.now - self.plan.timeout
        self.flights.table.withLock { $0.expire(sentBefore: time) }
        self.loop.scheduleTask(in: Self.expiryInterval) { self.goOnExpiring() }
    }
}
