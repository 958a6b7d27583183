import RESP
import SocketIO
import SocketIOCore
import Synchronization

/// A namespace of the cluster, as an emitter sees it. It listens for answers only while somebody asks, and a while after.
final class EmitterNamespace: Sendable {
    private struct State {
        var subscription: (any RedisSubscription)?
        /// Reached when Redis has confirmed the subscription.
        var readiness: Readiness?
        /// How many ask now.
        var askers = 0
        /// Ends the subscription when nobody has asked for a while.
        var ending: Task<Void, Never>?
    }

    let wire: any EmitterWire
    let line: EmitterLine
    let sockets = ClusterQueries<SocketDescription>()
    let values = ClusterQueries<SocketIOValue>()
    let acknowledgements = PendingAcks()
    private let idleTime: Duration
    private let state = Mutex(State())

    init(_ wire: any EmitterWire, _ line: EmitterLine, idleTime: Duration) {
        self.wire = wire
        self.line = line
        self.idleTime = idleTime
    }

    var name: String { self.wire.namespace }

    // MARK: Listening

    /// Listens for answers, from before it returns.
    ///
    /// - Throws: ``SocketIOError`` with code `cluster_unavailable` if Redis does not confirm that in time; `CancellationError`.
    func beginAsking(within timeout: Duration) async throws {
        guard !self.line.isClosed else {
            throw SocketIOError(.clusterUnavailable, "the emitter is closed")
        }
        let new = Readiness()
        let (readiness, isNew, ending) = self.state.withLock { state in
            state.askers += 1
            let ending = state.ending
            state.ending = nil
            let isNew = state.readiness == nil
            if isNew { state.readiness = new }
            return (state.readiness ?? new, isNew, ending)
        }
        ending?.cancel()
        if isNew { self.subscribe(readiness) }
        do {
            try await readiness.wait(for: timeout)
            guard readiness.isReached else { throw EmitterLine.noAnswer }
        } catch {
            self.endAsking()
            throw error
        }
    }

    private func subscribe(_ readiness: Readiness) {
        let subscription = self.line.redis.subscribe(
            to: self.wire.answerChannels,
            onReady: { readiness.reach() },
            onMessage: { [weak self] in self?.receive($0) }
        )
        let surplus = self.state.withLock { state in
            // It may have been closed meanwhile.
            guard state.readiness === readiness else { return subscription as (any RedisSubscription)? }
            state.subscription = subscription
            return nil
        }
        surplus?.cancel()
    }

    /// Goes on listening for a while: another question may come.
    func endAsking() {
        let idleTime = self.idleTime
        // This holds on to the namespace, so that the next question finds the subscription.
        let ending = Task {
            guard (try? await Task.sleep(for: idleTime)) != nil else { return }
            self.unsubscribe { $0.askers == 0 }
        }
        let displaced = self.state.withLock { state -> Task<Void, Never>? in
            state.askers -= 1
            guard state.askers == 0, state.readiness != nil else { return ending }
            defer { state.ending = ending }
            return state.ending
        }
        displaced?.cancel()
    }

    private func unsubscribe(if condition: (State) -> Bool) {
        let (subscription, ending) = self.state.withLock { state in
            guard condition(state) else { return ((any RedisSubscription)?.none, Task<Void, Never>?.none) }
            defer {
                state.subscription = nil
                state.readiness = nil
                state.ending = nil
            }
            return (state.subscription, state.ending)
        }
        subscription?.cancel()
        ending?.cancel()
    }

    /// Stops listening, and ends the questions that wait. Further ones are refused.
    func close() {
        self.unsubscribe { _ in true }
        self.sockets.close()
        self.values.close()
        self.acknowledgements.finishAll()
    }

    private func receive(_ message: RedisMessage) {
        do {
            switch try self.wire.answer(message) {
            case nil: break
            case .sockets(let sockets, let id, let server): self.sockets[id]?.receive(sockets, from: server)
            case .values(let values, let id, let server):
                if let query = self.sockets[id] {
                    query.receive(values.compactMap { SocketDescription($0) }, from: server)
                } else {
                    self.values[id]?.receive(values, from: server)
                }
            case .clientCount(let count, let id, let server):
                self.acknowledgements[id]?.expectAnswers(count: count, server: server)
            case .acknowledgement(let value, let id): self.acknowledgements[id]?.receive(value)
            case .answered(let id, let server):
                self.sockets[id]?.hasAnswered(server)
                self.values[id]?.hasAnswered(server)
                self.acknowledgements[id]?.heard(from: server)
            }
        } catch {
            self.line.complain(message.channel, error)
        }
    }
}
