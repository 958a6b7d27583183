import NIOCore
import RESP
import SocketIO
import SocketIOCore

/// Answers of others, and broadcasts that ask for them.
extension RedisAdapter {
    /// As long as SocketIO waits for acknowledgements if it is not told.
    static var defaultAckTimeout: Duration { .seconds(10) }

    func receiveResponse(_ message: RedisMessage) {
        do {
            guard let response = try ClassicResponse.decode(message.payload) else { return }
            // Nobody waits for it: it was for another server, or it is late.
            switch response.content {
            case .elements(let elements): self.queries[response.id]?.receive(elements)
            case .clientCount(let count): self.acknowledgements[response.id]?.expectAnswers(count: count)
            case .acknowledgement(let value): self.acknowledgements[response.id]?.receive(value)
            }
        } catch {
            self.complaints.note(.response, message.channel, error)
        }
    }

    public func broadcastWithAck(_ packet: BroadcastPacket, to target: BroadcastTarget, collector: AckCollector) {
        let id = ClassicID.make()
        self.acknowledgements.add(collector, id)
        collector.onFinish { [weak self] in self?.acknowledgements.remove(id) }
        var remote = target
        remote.removeDuplicates()
        // The others must wait as long as this one.
        let timeout = min(target.flags.timeout ?? Self.defaultAckTimeout, .seconds(365 * 86_400))
        remote.flags.timeout = timeout
        do {
            let payload = try ClassicRequest.broadcast(
                packet, to: remote, id: id, namespace: self.context.namespace, uid: self.uid)
            try self.publish(self.channels.request, payload)
        } catch {
            self.context.report(SocketIOError.notSent("a broadcast", error), packet.event)
        }
        self.context.local.broadcastWithAck(packet, to: target, collector: collector)
        let task = Task { await self.follow(collector, id, timeout) }
        collector.onFinish { task.cancel() }
    }

    /// Tells the collector how many servers there are, and in the end who they are.
    private func follow(_ collector: AckCollector, _ id: String, _ timeout: Duration) async {
        let start = ContinuousClock.now
        let known = self.state.withLock { $0.others }
        // If Redis is away, those who were there before are missing.
        let others = (try? await self.countOthers(within: timeout / 2)) ?? known
        guard !Task.isCancelled else { return }
        collector.expectServers(others + 1)
        guard others > 0 else { return }
        do {
            try await Task.sleep(until: start + timeout / 4 * 3, clock: .continuous)
            guard let names = await self.names() else { return }
            collector.expectServers(others + 1, others: names)
            self.askWhoHasAnswered(id)
        } catch {
            // The caller waits no more.
        }
    }
}
