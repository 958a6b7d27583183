import SocketIO

/// What any adapter must do, as checks that run in a test target of yours, whatever its test framework is.
///
/// Each check starts servers on free ports of the loopback interface, connects clients to them over WebSocket, and throws an
/// ``AdapterSuiteFailure`` that says what was wrong:
///
/// ```swift
/// @Test(arguments: AdapterSuite.Check.allCases)
/// func adapter(_ check: AdapterSuite.Check) async throws {
///     let suite = AdapterSuite(servers: 3) { count in
///         let prefix = "test-\(UUID())"
///         return (0..<count).map { _ in { MyAdapter($0, prefix: prefix) } }
///     }
///     try await suite.run(check)
/// }
/// ```
///
/// An adapter of a cluster should be run with three servers, the one of a single server with one.
public struct AdapterSuite: Sendable {
    /// The things that are checked.
    public enum Check: String, Sendable, CaseIterable {
        /// A broadcast reaches each socket of all servers once, and nobody in other namespaces.
        case broadcast
        /// Rooms, several rooms, exceptions and the rooms of socket ids select sockets of all servers.
        case rooms
        /// `local` stays on the server.
        case local
        /// Arguments of all kinds, binary data included, cross servers unchanged.
        case arguments
        /// Broadcasts of one server arrive everywhere in the order of the calls.
        case order
        /// Acknowledgements of all sockets come back.
        case acknowledgements
        /// Who does not answer is told when the time is up, with the answers that came.
        case missingAcknowledgements
        /// Sockets of all servers are found, with their rooms, data and handshakes.
        case fetchSockets
        /// Sockets of all servers join and leave rooms.
        case joinAndLeave
        /// Sockets of all servers are disconnected.
        case disconnectSockets
        /// Events between servers reach all but the sender.
        case serverSideEmit
        /// Events between servers are answered by all but the sender.
        case serverSideEmitWithAck
        /// Namespaces that are made later, dynamic ones included, work as the first.
        case namespaces
        /// A server that is closed is counted and waited for no more, and the others go on.
        case leaving
    }

    /// Makes the adapters of one cluster: as many factories as there are servers. Called once for each check, which must not
    /// meet servers of another one.
    public typealias MakeCluster = @Sendable (_ servers: Int) async throws -> [AdapterFactory]

    let servers: Int
    let patience: Duration
    let settle: (@Sendable () async throws -> Void)?
    let makeCluster: MakeCluster

    /// - Parameters:
    ///   - servers: How many servers make a cluster, at least 1.
    ///   - patience: How long the suite waits for anything that must happen.
    ///   - settle: Called after sockets have joined rooms, for adapters whose servers hear of what other servers send to a room only
    ///     some time after the join: it waits until that is so.
    ///   - makeCluster: Makes the adapters.
    public init(
        servers: Int,
        patience: Duration = .seconds(10),
        settle: (@Sendable () async throws -> Void)? = nil,
        makeCluster: @escaping MakeCluster
    ) {
        self.servers = max(1, servers)
        self.patience = patience
        self.settle = settle
        self.makeCluster = makeCluster
    }

    /// Runs all checks, one after the other, up to the first that fails.
    public func run() async throws {
        for check in Check.allCases { try await self.run(check) }
    }

    /// Runs one check.
    ///
    /// - Throws: ``AdapterSuiteFailure``, or what the adapter or the start of a server has thrown.
    public func run(_ check: Check) async throws {
        let cluster = try await SuiteCluster(self, check)
        do {
            try await cluster.waitUntilComplete()
            try await cluster.perform()
        } catch {
            await cluster.close()
            throw error
        }
        await cluster.close()
    }
}

/// An adapter does not do what it must.
public struct AdapterSuiteFailure: Error, Sendable, CustomStringConvertible {
    /// What was checked.
    public let check: AdapterSuite.Check
    /// What was expected, and what happened.
    public let message: String

    public var description: String { "adapter suite, \(self.check.rawValue): \(self.message)" }
}
