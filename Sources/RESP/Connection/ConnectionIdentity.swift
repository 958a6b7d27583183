/// What Redis calls a connection, so that it can be told to end it.
struct ConnectionIdentity: Equatable {
    var id: String
    /// Of this side, as Redis sees it.
    var address: String

    /// Asks Redis what it calls the connection. Servers of before 6.2 don't know it.
    static let question = ["CLIENT", "INFO"]

    init(id: String, address: String) {
        self.id = id
        self.address = address
    }

    /// - Parameter reply: That to ``question``.
    init?(_ reply: RedisValue) {
        var (id, address): (Substring?, Substring?)
        for field in (reply.text ?? "").split(whereSeparator: \.isWhitespace) {
            if field.hasPrefix("id=") { id = field.dropFirst(3) }
            if field.hasPrefix("addr=") { address = field.dropFirst(5) }
        }
        guard let id, let address, !id.isEmpty, !address.isEmpty else { return nil }
        self.init(id: String(id), address: String(address))
    }

    /// Ends the connection on the side of Redis: what it has sent and Redis has not read is dropped. The address makes sure that after a
    /// restart of Redis, which counts from 1 again, it is not another one.
    var end: [String] { ["CLIENT", "KILL", "ID", self.id, "ADDR", self.address] }
}
