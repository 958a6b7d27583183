import RESP
import SocketIO
import SocketIOCore

/// What a streams adapter notes for recovery: sessions that are being saved, and who waits until what this server has written was read
/// back. A value; it is told what happens.
struct StreamRecovery: Sendable {
    struct Waiter: Sendable {
        let id: Int
        /// How many messages must be on their way no more.
        let accepted: Int
        /// Then: which entry must have been read.
        var entry: StreamID?
        var isSettled = false
        let body: @Sendable () -> Void
    }

    var saving = 0
    var saved: [CheckedContinuation<Void, Never>] = []
    private(set) var waiters: [Waiter] = []
    private(set) var readUpTo = StreamID.zero
    private var nextID = 0
    var subscription: (any RedisSubscription)?

    mutating func wasSaved() -> [CheckedContinuation<Void, Never>] {
        self.saving -= 1
        guard self.saving == 0 else { return [] }
        defer { self.saved = [] }
        return self.saved
    }

    /// Returns the number of the waiter; nil if it need not wait.
    mutating func wait(
        _ progress: (accepted: Int, settled: Int, last: StreamID?),
        _ body: @escaping @Sendable () -> Void
    ) -> Int? {
        let isSettled = progress.settled >= progress.accepted
        if isSettled, self.readUpTo >= progress.last ?? .zero { return nil }
        self.nextID += 1
        self.waiters.append(
            Waiter(
                id: self.nextID, accepted: progress.accepted, entry: isSettled ? progress.last : nil,
                isSettled: isSettled, body: body))
        return self.nextID
    }

    mutating func wasRead(upTo id: StreamID) { self.readUpTo = max(self.readUpTo, id) }

    /// Those who wait no longer.
    mutating func ready(_ progress: (accepted: Int, settled: Int, last: StreamID?)) -> [@Sendable () -> Void] {
        var ready: [@Sendable () -> Void] = []
        var waiting: [Waiter] = []
        for var waiter in self.waiters {
            if !waiter.isSettled, progress.settled >= waiter.accepted {
                waiter.isSettled = true
                waiter.entry = progress.last
            }
            if waiter.isSettled, self.readUpTo >= waiter.entry ?? .zero {
                ready.append(waiter.body)
            } else {
                waiting.append(waiter)
            }
        }
        self.waiters = waiting
        return ready
    }

    mutating func giveUp(_ id: Int) -> (@Sendable () -> Void)? {
        guard let index = self.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return self.waiters.remove(at: index).body
    }

    mutating func giveUpAll() -> [@Sendable () -> Void] {
        defer { self.waiters = [] }
        return self.waiters.map(\.body)
    }
}

extension RedisStreamsAdapter {
    // MARK: Waiting for what is under way

    /// How long what must follow is kept back while Redis is away.
    private static var patience: Duration { .seconds(5) }

    package func afterPending(_ body: @escaping @Sendable () -> Void) {
        let progress = self.writer.progress
        guard let id = self.recovery.withLock({ $0.wait(progress, body) }) else { return body() }
        Task { [weak self] in
            try? await Task.sleep(for: Self.patience)
            let body = self?.recovery.withLock { $0.giveUp(id) }
            body?()
        }
        // It may have been read since it was looked.
        self.checkPending()
    }

    func wasRead(upTo id: StreamID) {
        self.recovery.withLock { $0.wasRead(upTo: id) }
        self.checkPending()
    }

    func checkPending() {
        guard self.recovery.withLock({ !$0.waiters.isEmpty }) else { return }
        let progress = self.writer.progress
        for body in self.recovery.withLock({ $0.ready(progress) }) { body() }
    }

    func endRecovery() async {
        let (waiters, subscription) = self.recovery.withLock { recovery in
            defer { recovery.subscription = nil }
            return (recovery.giveUpAll(), recovery.subscription)
        }
        subscription?.cancel()
        for body in waiters { body() }
        // Sessions of the clients that were just disconnected.
        guard self.node.redis.state.isUsable else { return }
        let timer = Task { [weak self] in
            try await Task.sleep(for: .seconds(2))
            self?.stopWaiting()
        }
        await withCheckedContinuation { continuation in
            let isDone = self.recovery.withLock { recovery in
                if recovery.saving > 0 { recovery.saved.append(continuation) }
                return recovery.saving == 0
            }
            if isDone { continuation.resume() }
        }
        timer.cancel()
    }

    private func stopWaiting() {
        let waiting = self.recovery.withLock { recovery in
            defer { recovery.saved = [] }
            return recovery.saved
        }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Clients that have come back elsewhere

    /// Only servers of this package listen to it.
    private var returns: String { "swift-socketio#returns#\(self.options.channelPrefix)#\(self.namespace)#" }

    /// Another server tells which client is there: its connection here, if it has one, is lost.
    func listenForReturns() {
        let (local, own) = (self.node.context.local, self.uid + " ")
        let channel = RedisChannel(.channel, self.returns)
        let subscription = self.node.redis.subscribe(to: [channel], onReady: nil) { message in
            let text = String(buffer: message.payload)
            guard text.utf8.count <= 512, !text.hasPrefix(own), let space = text.firstIndex(of: " ") else { return }
            local.abandon(pid: String(text[space...].dropFirst()))
        }
        self.recovery.withLock { $0.subscription = subscription }
    }

    func tellOfReturn(_ pid: String) {
        try? self.node.redis.send([RedisCommand("PUBLISH", self.returns, "\(self.uid) \(pid)")]) { _ in }
    }
}
