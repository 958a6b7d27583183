import NIOCore
import SocketIOClient

/// Clients come, join rooms, and go.
extension BenchWorker {
    /// How long it is waited for the answer to joining a room, which not every server gives, and for the change to WebSocket.
    private static let joinPatience = TimeAmount.seconds(1)
    private static let upgradePatience = TimeAmount.seconds(5)
    /// Clients that are begun before the loop looks after others.
    private static let batch = 16

    func beginRamp(at origin: Int64) {
        self.clients.reserveCapacity(self.share)
        self.ramp = SendSchedule(
            origin: origin, end: .max, rate: self.plan.ramp, offset: self.index, stride: self.plan.threads)
        self.goOnRamping()
    }

    private func goOnRamping() {
        for _ in 0..<Self.batch {
            guard self.clients.count < self.share, let next = self.ramp?.next else { return }
            guard let due = self.ramp?.take(at: BenchShared.now) else {
                return self.wake(at: next) { $0.goOnRamping() }
            }
            self.begin(due: due)
        }
        self.yield { $0.goOnRamping() }
    }

    /// After the loop has read: what it is to execute at once, it does before.
    func yield(_ body: @escaping @Sendable (BenchWorker) -> Void) {
        self.wake(at: BenchShared.now + 20_000, body)
    }

    func wake(at time: Int64, _ body: @escaping @Sendable (BenchWorker) -> Void) {
        self.loop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: time))) { body(self) }
    }

    private func begin(due: Int64) {
        let place = self.clients.count
        let number = place * self.plan.threads + self.index
        let socket = self.makeClient(number) { configuration in
            configuration.eventLoopGroup = self.group
            configuration.connectTimeout = .nanoseconds(self.plan.timeout)
            configuration.joinTimeout = .nanoseconds(self.plan.timeout)
            configuration.onError = { error in
                let reason = ConnectErrors.explain(error, namespace: "")
                self.loop.execute { self.failedToSend(reason) }
            }
        }
        self.clients.append(
            BenchClient(
                socket: socket, number: number, room: self.plan.room(ofClient: number), due: due,
                hasJoined: self.plan.join == nil))
        self.counts.started += 1
        self.counts.unsettled += 1
        let namespace = socket.namespace
        // These are called on the loop.
        socket.onConnect { [weak socket] in
            self.connected(place, isOnWebSocket: socket?.transport == .websocket)
        }
        socket.onUpgrade { self.upgraded(place) }
        socket.onDisconnect { self.lost(place, ConnectErrors.explain($0, namespace: namespace)) }
        if let reply = self.plan.reply { _ = socket.onLoop(reply) { self.received($0, by: place) } }
        Task {
            do { try await socket.connect() } catch {
                let reason = ConnectErrors.explain(error, namespace: namespace)
                self.loop.execute { self.failed(place, reason) }
            }
        }
    }

    private func connected(_ place: Int, isOnWebSocket: Bool) {
        guard self.clients[place].phase == .connecting else { return }
        self.counts.connectTimes.record(BenchShared.now - self.clients[place].due)
        self.clients[place].phase = .connected
        self.counts.connected += 1
        self.counts.present += 1
        if isOnWebSocket { self.upgraded(place) }
        if self.plan.upgrades, !isOnWebSocket {
            self.loop.scheduleTask(in: Self.upgradePatience) { self.settle(place) }
        }
        if let join = self.plan.join { self.join(place, join) }
        self.settleIfReady(place)
    }

    private func join(_ place: Int, _ join: EventTemplate) {
        let client = self.clients[place]
        let values = join.fill(.init(room: self.shared.roomName(client.room), client: client.number))
        do {
            let event = try client.socket.prepare(join.name, arguments: values, wantsAnswer: true)
            client.socket.send(event, atOnce: false) { _ in self.joined(place) }
        } catch {
            self.counts.errors.count(ConnectErrors.explain(error, namespace: ""))
        }
        self.loop.scheduleTask(in: Self.joinPatience) { self.joined(place) }
    }

    private func joined(_ place: Int) {
        self.clients[place].hasJoined = true
        self.settleIfReady(place)
    }

    private func upgraded(_ place: Int) {
        guard !self.clients[place].isOnWebSocket, self.clients[place].phase == .connected else { return }
        self.clients[place].isOnWebSocket = true
        self.counts.onWebSocket += 1
        self.settleIfReady(place)
    }

    private func settleIfReady(_ place: Int) {
        let client = self.clients[place]
        if client.hasJoined, client.isOnWebSocket || !self.plan.upgrades { self.settle(place) }
    }

    /// It takes part from now on, if it is connected.
    private func settle(_ place: Int) {
        guard !self.clients[place].isSettled else { return }
        self.clients[place].isSettled = true
        self.counts.unsettled -= 1
        guard self.clients[place].phase == .connected else { return }
        self.clients[place].place = self.senders.count
        self.senders.append(place)
        self.shared.change(members: 1, ofRoom: self.clients[place].room)
    }

    private func failed(_ place: Int, _ reason: String) {
        guard !self.isEnding, self.clients[place].phase == .connecting else { return }
        self.clients[place].phase = .failed
        self.counts.failed += 1
        self.counts.failures.count(reason)
        self.settle(place)
    }

    private func lost(_ place: Int, _ reason: String) {
        guard !self.isEnding, self.clients[place].phase == .connected else { return }
        self.clients[place].phase = .lost
        self.counts.lost += 1
        self.counts.losses.count(reason)
        self.counts.present -= 1
        if self.clients[place].isOnWebSocket { self.counts.onWebSocket -= 1 }
        self.settle(place)
        guard let position = self.clients[place].place, let last = self.senders.last else { return }
        self.senders[position] = last
        self.clients[last].place = position
        self.senders.removeLast()
        self.clients[place].place = nil
        self.shared.change(members: -1, ofRoom: self.clients[place].room)
    }
}
