import SocketIO
import SocketIOCore
import Synchronization

/// The questions of one adapter that wait for answers, by the id of the request.
final class ClusterQueries<Element: Sendable>: Sendable {
    private struct Table {
        var queries: [String: ClusterQuery<Element>] = [:]
        var isClosed = false
    }

    private let table = Mutex(Table())
    private let limit: Int

    /// - Parameter limit: How many questions may wait at a time.
    init(limit: Int = 10_000) { self.limit = limit }

    /// Asks, and returns what has come when all have answered or the time is up.
    ///
    /// - Parameters:
    ///   - id: The id of the request.
    ///   - timeout: How long it may take.
    ///   - unknown: How many servers are taken for missing if it never was known how many were asked.
    ///   - onLate: Called when three quarters of the time are over and answers are missing.
    ///   - send: Sends the request, and tells the query who is asked, now or later. Answers may come before it returns.
    /// - Throws: what `send` throws, `CancellationError`, or ``SocketIOError`` with code `limit_exceeded`.
    func ask(
        _ id: String,
        timeout: Duration,
        ifUnknown unknown: Int = 0,
        onLate: (@Sendable (ClusterQuery<Element>) -> Void)? = nil,
        _ send: (ClusterQuery<Element>) throws -> Void
    ) async throws -> ClusterAnswer<Element> {
        let query = ClusterQuery<Element>()
        try self.add(query, id)
        defer { self.remove(id) }
        try send(query)
        try await query.wait(for: timeout) { onLate?(query) }
        return query.answer(ifUnknown: unknown)
    }

    private func add(_ query: ClusterQuery<Element>, _ id: String) throws(SocketIOError) {
        let (isFull, isClosed) = self.table.withLock { table in
            guard !table.isClosed, table.queries.count < self.limit else {
                return (!table.isClosed, table.isClosed)
            }
            table.queries[id] = query
            return (false, false)
        }
        if isFull {
            throw SocketIOError(.limitExceeded, "more than \(self.limit) questions to the cluster wait for answers")
        }
        // Nobody can answer any more.
        if isClosed { query.finish() }
    }

    private func remove(_ id: String) {
        let query = self.table.withLock { $0.queries.removeValue(forKey: id) }
        _ = query
    }

    /// The question that waits for answers to this request.
    subscript(id: String) -> ClusterQuery<Element>? { self.table.withLock { $0.queries[id] } }

    /// How many wait.
    var count: Int { self.table.withLock { $0.queries.count } }

    /// A server is gone: nobody waits for it any more.
    func forget(_ server: String) {
        for query in self.table.withLock({ Array($0.queries.values) }) { query.forget(server) }
    }

    /// Ends all questions with what has come, and later ones at once.
    func close() {
        let queries = self.table.withLock { table in
            table.isClosed = true
            defer { table.queries = [:] }
            return Array(table.queries.values)
        }
        for query in queries { query.finish() }
    }
}
