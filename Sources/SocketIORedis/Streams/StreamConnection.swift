import RESP

/// What Redis calls the connection that commands are sent on, so that it can be told to forget what a broken one has sent.
struct StreamConnection: Sendable {
    private var id: String?
    private var address: String?
    private var lastUse: ContinuousClock.Instant?

    /// Asks Redis what it calls the connection.
    static var question: RedisCommand { RedisCommand("CLIENT", "INFO", keyIndex: nil) }

    /// Whether it should be asked with the next commands: it was not yet, or the client may have made a new connection since
    /// without anybody noticing.
    func mustBeAsked(at now: ContinuousClock.Instant) -> Bool {
        guard let lastUse = self.lastUse else { return true }
        return now - lastUse > .seconds(1)
    }

    /// Commands were answered. `reply`: that to the question, if it was asked; servers before Redis 6.2 don't know it.
    mutating func used(at now: ContinuousClock.Instant, reply: RedisValue?) {
        self.lastUse = now
        guard let reply else { return }
        self.id = nil
        self.address = nil
        for field in (reply.text ?? "").split(whereSeparator: \.isWhitespace) {
            if field.hasPrefix("id=") { self.id = String(field.dropFirst(3)) }
            if field.hasPrefix("addr=") { self.address = String(field.dropFirst(5)) }
        }
    }

    /// Ends the connection on the side of Redis: what it has sent and Redis has not read is dropped. The address makes sure that after a
    /// restart of Redis, which counts from 1 again, it is not another one.
    var end: RedisCommand? {
        guard let id = self.id, let address = self.address else { return nil }
        return RedisCommand("CLIENT", "KILL", "ID", id, "ADDR", address, keyIndex: nil)
    }
}
