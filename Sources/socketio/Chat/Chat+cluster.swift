import SocketIO
import Synchronization

/// The chat in several processes.
extension Chat {
    /// How often a server says who is on it, and after which silence it is taken for gone.
    private static let interval: Duration = .seconds(5)
    private static let limit: Duration = .seconds(16)

    func joinCluster() {
        self.io.main.on(ChatClusterEvents.here) { (presence: ChatPresence) -> Void in
            self.take(self.state.withLock { $0.hear(presence, at: .now) })
        }
        self.io.main.on(ChatClusterEvents.posted) { (room: String, message: ChatMessage) -> Void in
            self.state.withLock { $0.remember([message], in: room) }
        }
        self.io.main.on(ChatClusterEvents.hello) { (presence: ChatPresence) -> ChatSnapshot in
            self.take(self.state.withLock { $0.hear(presence, at: .now) })
            let connections = self.io.main.local.socketCount
            return self.state.withLock { state in
                ChatSnapshot(presence: state.presence(connections: connections), history: state.histories)
            }
        }
        self.heartbeat.withLock { heartbeat in
            heartbeat = Task {
                await self.sayHello()
                while (try? await Task.sleep(for: Self.interval)) != nil {
                    self.tellOthers()
                    self.take(self.state.withLock { $0.forget(silentSince: .now - Self.limit) })
                }
            }
        }
    }

    /// Tells the others that nobody is here any more.
    func end() {
        let heartbeat = self.heartbeat.withLock { heartbeat in
            defer { heartbeat = nil }
            return heartbeat
        }
        guard let heartbeat else { return }
        heartbeat.cancel()
        self.io.main.serverSideEmit(
            ChatClusterEvents.here, self.state.withLock { $0.farewell })
    }

    /// Asks the others who is there and what was said.
    private func sayHello() async {
        // Without an answer the next word of each server says who is there.
        let answers = try? await self.io.main.serverSideEmitWithAck(
            ChatClusterEvents.hello, self.presence, as: ChatSnapshot.self)
        for snapshot in answers?.elements ?? [] {
            self.take(self.state.withLock { $0.hear(snapshot.presence, at: .now) })
            self.state.withLock { state in
                for history in snapshot.history { state.remember(history.messages, in: history.room) }
            }
        }
    }

    private var presence: ChatPresence {
        let connections = self.io.main.local.socketCount
        return self.state.withLock { $0.presence(connections: connections) }
    }

    private func tellOthers() { self.io.main.serverSideEmit(ChatClusterEvents.here, self.presence) }

    /// Many changes at a time are told once.
    func tellOthersSoon() {
        guard !self.isTelling.exchange(true, ordering: .relaxed) else { return }
        Task {
            try? await Task.sleep(for: .milliseconds(20))
            self.isTelling.store(false, ordering: .relaxed)
            // After the end nobody is here.
            if self.heartbeat.withLock({ $0 != nil }) { self.tellOthers() }
        }
    }

    /// Tells this server's clients what has changed on other servers.
    private func take(_ changed: Set<String>?) {
        guard let changed else { return }
        for room in changed { self.tellUsers(room) }
        self.tellAdmins()
    }
}
