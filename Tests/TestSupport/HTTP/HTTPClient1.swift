import NIOCore

/// An HTTP/1.1 client with one kept-alive connection, which it opens when a request needs it.
///
/// A request that starts while another has no reply yet is pipelined behind it. Two requests that must be open
/// independently need two clients.
package final class HTTPClient1: Sendable {
    private struct State: Sendable {
        var exchange: HTTPExchange?
        var isConnecting = false
    }

    /// Where requests go.
    package let host: String
    /// Where requests go.
    package let port: Int
    private let receiveBuffer: Int?
    private let state = Awaited(State())

    /// Makes a client; it connects with the first request.
    package init(host: String = "127.0.0.1", port: Int, receiveBuffer: Int? = nil) {
        self.host = host
        self.port = port
        self.receiveBuffer = receiveBuffer
    }

    /// The connection of the last request, if any.
    package var connection: RawConnection? { state.update { $0.exchange }?.connection }

    /// Sends a request and waits for its reply.
    ///
    /// `Host` and the framing of the body are added to the header fields unless they are given.
    package func request(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: HTTPBody = .none,
        timeout: Duration = defaultTimeout
    ) async throws -> HTTPReply {
        try await start(method, path, headers: headers, body: body, timeout: timeout).reply(timeout: timeout)
    }

    /// Sends a request, or the beginning of one, and returns when it was written.
    package func start(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: HTTPBody = .none,
        timeout: Duration = defaultTimeout
    ) async throws -> PendingReply {
        let exchange = try await usableExchange(timeout: timeout)
        var head = "\(method) \(path) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.0.lowercased() == "host" }) { head += "Host: \(host):\(port)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let framed = ["content-length", "transfer-encoding"]
        if !headers.contains(where: { framed.contains($0.0.lowercased()) }) { head += body.headerLine }
        head += "\r\n"
        var bytes = Array(head.utf8)
        if case .bytes(let content) = body { bytes += content }
        let pending = exchange.begin(bytes, "\(method) \(path)", isHead: method == "HEAD", body: body)
        switch body {
        case .pieces(let pieces):
            try await exchange.connection.send(pieces: pieces, timeout: timeout)
        case .chunked(let pieces):
            try await exchange.connection.send(
                pieces: pieces.map(HTTPBody.chunk) + [HTTPBody.lastChunk], timeout: timeout)
        case .none, .bytes, .declared, .openChunked:
            break
        }
        return pending
    }

    /// Closes the connection. The next request opens another.
    package func close() async {
        await connection?.close()
    }

    /// Closes without waiting; replies under way fail.
    func closeSoon() {
        connection?.closeSoon()
    }

    private func usableExchange(timeout: Duration) async throws -> HTTPExchange {
        let open: HTTPExchange? = try await state.wait("another request to connect", timeout: timeout) { state in
            if let exchange = state.exchange, exchange.isUsable { return .some(exchange) }
            if state.isConnecting { return nil }
            state.isConnecting = true
            return .some(nil)
        }
        if let open { return open }
        do {
            let connection = try await RawConnection.connect(
                host: host, port: port, receiveBuffer: receiveBuffer, timeout: timeout)
            let exchange = HTTPExchange(connection)
            state.update {
                $0.exchange = exchange
                $0.isConnecting = false
            }
            return exchange
        } catch {
            state.update { $0.isConnecting = false }
            throw error
        }
    }
}

/// The requests and replies of one connection, matched by their order.
final class HTTPExchange: Sendable {
    private struct State: Sendable {
        var nextID = 0
        var awaited = FIFO<(id: Int, isHead: Bool)>()
        var replies: [Int: HTTPReply] = [:]
        var closes = false
    }

    let connection: RawConnection
    private let state = Locked(State())

    init(_ connection: RawConnection) {
        self.connection = connection
    }

    var isUsable: Bool { connection.end == nil && !state.withLock { $0.closes } }

    /// Writes a request under the lock, so that the order on the wire is that of the ids.
    func begin(_ bytes: [UInt8], _ what: String, isHead: Bool, body: HTTPBody) -> PendingReply {
        let id = state.withLock { state in
            state.awaited.append((state.nextID, isHead))
            state.nextID += 1
            connection.enqueue(bytes)
            return state.nextID - 1
        }
        var isChunked = false
        if case .openChunked = body { isChunked = true }
        return PendingReply(exchange: self, id: id, what: what, isChunked: isChunked)
    }

    /// Parses all complete replies and returns that of one request.
    func reply(to id: Int, in buffer: inout ByteBuffer, ended: Bool) throws -> HTTPReply? {
        try state.withLock { state in
            while let next = state.awaited.first,
                let reply = try HTTPReplyParser.parse(&buffer, isHead: next.isHead, ended: ended)
            {
                // Interim replies belong to no request; 101 is final.
                if reply.status < 200 && reply.status != 101 { continue }
                _ = state.awaited.popFirst()
                state.replies[next.id] = reply
                if reply.closes { state.closes = true }
            }
            return state.replies.removeValue(forKey: id)
        }
    }
}

/// A request whose reply has not been read yet.
package final class PendingReply: Sendable {
    private let exchange: HTTPExchange
    private let id: Int
    private let what: String
    private let isChunked: Bool

    init(exchange: HTTPExchange, id: Int, what: String, isChunked: Bool) {
        self.exchange = exchange
        self.id = id
        self.what = what
        self.isChunked = isChunked
    }

    /// The connection of the request.
    package var connection: RawConnection { exchange.connection }

    /// Waits for the reply, which can be taken once.
    package func reply(timeout: Duration = defaultTimeout) async throws -> HTTPReply {
        try await connection.take("the reply to \(self.what)", timeout: timeout) { [exchange, id] buffer, ended in
            try exchange.reply(to: id, in: &buffer, ended: ended)
        }
    }

    /// Sends more of a body that was begun with `.declared` or `.openChunked`.
    package func write(_ bytes: [UInt8], timeout: Duration = defaultTimeout) async throws {
        try await connection.send(isChunked ? HTTPBody.chunk(bytes) : bytes, timeout: timeout)
    }

    /// Ends a body that was begun with `.openChunked`.
    package func finish(timeout: Duration = defaultTimeout) async throws {
        if isChunked { try await connection.send(HTTPBody.lastChunk, timeout: timeout) }
    }

    /// Gives the request up by closing its connection.
    ///
    /// - Parameter withReset: cuts the connection (RST) instead of closing it (FIN).
    package func abort(withReset: Bool = false) async {
        if withReset {
            await connection.reset()
        } else {
            await connection.close()
        }
    }
}
