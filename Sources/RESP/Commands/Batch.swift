/// Commands that were sent with one call.
struct Batch: Sendable {
    typealias Completion = @Sendable (Result<[RedisValue], RedisError>) -> Void

    /// Which node of Redis Cluster must have them.
    enum Route: Sendable, Hashable {
        /// Any, but the same for all of this kind, so that their order is kept.
        case any
        case slot(Int)
        /// This one and no other.
        case node(Int)
    }

    /// Empty when there is only one server: nothing will have to be sent again.
    var commands: [RedisCommand]
    let count: Int
    /// What it counts in the bound of the outbox until it is answered.
    let byteCount: Int
    let route: Route
    let completion: Completion?
    /// How often it was redirected.
    var attempts = 0
    /// `ASKING` goes before each command.
    var isAsking = false

    var replyCount: Int { self.isAsking ? self.count * 2 : self.count }

    static func route(of commands: [RedisCommand]) -> Route {
        for command in commands {
            guard let index = command.keyIndex, command.arguments.indices.contains(index) else { continue }
            // Its messages reach all nodes, wherever they are published.
            if Self.isPublish(command) { continue }
            return .slot(SlotHash.slot(of: command.arguments[index]))
        }
        return .any
    }

    private static func isPublish(_ command: RedisCommand) -> Bool {
        guard let name = command.arguments.first?.readableBytesView, name.count == 7 else { return false }
        // Setting this bit makes letters lowercase.
        return zip(name, "publish".utf8).allSatisfy { $0 | 0x20 == $1 }
    }
}
