/// A limit on clients, by the name of its setting. An open set, with as many members as there are settings: fit for the label
/// of a metric.
public struct EngineIOLimit: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// ``EngineIOConfiguration/maxSessions``
    public static let maxSessions = Self(rawValue: "maxSessions")
    /// ``EngineIOConfiguration/maxSessionsPerAddress``
    public static let maxSessionsPerAddress = Self(rawValue: "maxSessionsPerAddress")
    /// ``EngineIOConfiguration/maxConnectionsPerAddress``
    public static let maxConnectionsPerAddress = Self(rawValue: "maxConnectionsPerAddress")
    /// ``EngineIOConfiguration/messageRate``
    public static let messageRate = Self(rawValue: "messageRate")
    /// ``EngineIOConfiguration/byteRate``
    public static let byteRate = Self(rawValue: "byteRate")
    /// ``EngineIOConfiguration/maxInboundQueueBytes``
    public static let maxInboundQueueBytes = Self(rawValue: "maxInboundQueueBytes")

    public var description: String { self.rawValue }
}

/// A client has run into a limit; see ``EngineIOConfiguration/onLimit``.
public struct EngineIOLimitReport: Sendable {
    /// What the server has done.
    public enum Action: String, Sendable, CaseIterable {
        /// No session was opened, a connection was not served, or a namespace not joined.
        case refused
        /// The client was, or is being, disconnected.
        case disconnected
        /// Messages or events were thrown away.
        case dropped
        /// Messages wait; reported when the waiting begins.
        case delayed
    }

    public let limit: EngineIOLimit
    public let action: Action
    /// How many messages or events; 1 for a session or connection.
    public let count: Int
    /// The request of the client, or the one that has opened its session; nil for a connection.
    public let request: EngineIORequest?
    private let peer: String

    package init(limit: EngineIOLimit, action: Action, count: Int = 1, request: EngineIORequest) {
        self.limit = limit
        self.action = action
        self.count = count
        self.request = request
        self.peer = ""
    }

    /// A connection is refused.
    init(_ limit: EngineIOLimit, peer: String) {
        self.limit = limit
        self.action = .refused
        self.count = 1
        self.request = nil
        self.peer = peer
    }

    /// The client's address; see ``EngineIORequest/address``.
    public var address: String { self.request?.address ?? self.peer }
}
