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
    private(set) var count: Int
    /// What it counts in the bound of the outbox until it is answered.
    let byteCount: Int
    let route: Route
    let completion: Completion?
    /// How often it was redirected.
    var attempts = 0
    /// `ASKING` goes before each command.
    var isAsking = false
    /// The replies to all commands, if only some of them are sent again, and which ones these are.
    private var partial: (replies: [RedisValue], sentAgain: [Int])?

    init(commands: [RedisCommand], count: Int, byteCount: Int, route: Route, completion: Completion?) {
        self.commands = commands
        self.count = count
        self.byteCount = byteCount
        self.route = route
        self.completion = completion
    }

    var replyCount: Int { self.isAsking ? self.count * 2 : self.count }

    /// Whether its commands are executed together or not at all.
    var isTransaction: Bool { self.commands.contains { Self.isNamed("multi", $0) } }

    /// Leaves only those commands that were not executed, by their positions; the replies to the others are kept.
    mutating func keepUnanswered(_ positions: [Int], replies: [RedisValue]) {
        let places = self.partial?.sentAgain ?? Array(replies.indices)
        self.partial = (self.merged(replies), positions.map { places[$0] })
        self.commands = positions.map { self.commands[$0] }
        self.count = positions.count
    }

    /// The replies to all commands, those to the last that were sent among them.
    func merged(_ replies: [RedisValue]) -> [RedisValue] {
        guard let (kept, places) = self.partial else { return replies }
        var all = kept
        for (place, reply) in zip(places, replies) { all[place] = reply }
        return all
    }

    static func route(of commands: [RedisCommand]) -> Route {
        for command in commands {
            guard let index = command.keyIndex, command.arguments.indices.contains(index) else { continue }
            // Its messages reach all nodes, wherever they are published.
            if Self.isNamed("publish", command) { continue }
            return .slot(SlotHash.slot(of: command.arguments[index]))
        }
        return .any
    }

    private static func isNamed(_ expected: StaticString, _ command: RedisCommand) -> Bool {
        guard let name = command.arguments.first?.readableBytesView, name.count == expected.utf8CodeUnitCount else {
            return false
        }
        return expected.withUTF8Buffer { expected in
            // Setting this bit makes letters lowercase.
            zip(name, expected).allSatisfy { $0 | 0x20 == $1 }
        }
    }
}
