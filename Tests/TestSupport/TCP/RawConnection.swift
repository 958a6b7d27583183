import Foundation
import NIOCore
import NIOPosix

/// How a connection came to its end.
package enum ConnectionEnd: Sendable, Equatable {
    /// The peer closed in order (FIN).
    case closedByPeer
    /// The peer cut the connection (RST), or another error of the socket.
    case failed(String)
    /// `close()` or `reset()` was called on this side.
    case closedHere
}

/// A read met the end of the connection.
package struct ConnectionEnded: Error, CustomStringConvertible {
    /// What was awaited.
    package let what: String
    /// How the connection ended.
    package let end: ConnectionEnd
    /// The beginning of what had arrived and was not yet read.
    package let rest: String

    package var description: String { "connection ended (\(end)) while waiting for \(what), unread: \"\(rest)\"" }
}

/// A TCP connection that sends and receives bytes.
///
/// The connection closes when the last reference to it goes.
package final class RawConnection: Sendable {
    struct Incoming: Sendable {
        var buffer = ByteBuffer()
        var end: ConnectionEnd?

        /// The first bytes that are not yet read, for messages.
        var preview: String {
            let bytes = buffer.getBytes(at: buffer.readerIndex, length: min(buffer.readableBytes, 120)) ?? []
            return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\\r\\n")
        }
    }

    /// The address that connections of this task come from; nil for the system's choice. On Linux all of 127.0.0.0/8 will do.
    @TaskLocal package static var localAddress: String?

    let channel: any Channel
    let incoming: Awaited<Incoming>

    private init(channel: any Channel, incoming: Awaited<Incoming>) {
        self.channel = channel
        self.incoming = incoming
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Connects.
    ///
    /// - Parameter receiveBuffer: size of the socket's receive buffer in bytes, to make a peer that does not read stop
    ///   the sender sooner.
    package static func connect(
        host: String = "127.0.0.1",
        port: Int,
        receiveBuffer: Int? = nil,
        timeout: Duration = defaultTimeout
    ) async throws -> RawConnection {
        let incoming = Awaited(Incoming()) { incoming in
            "\(incoming.buffer.readableBytes) bytes unread: \"\(incoming.preview)\", end: \(incoming.end.debugText)"
        }
        var bootstrap = ClientBootstrap(group: PeerLoops.group)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IncomingHandler(incoming))
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(
                .socketOption(.so_rcvbuf), value: ChannelOptions.Types.SocketOption.Value(receiveBuffer))
        }
        if let address = Self.localAddress {
            bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: address, port: 0))
        }
        let channel = try await bootstrap.connect(host: host, port: port)
            .value("a connection to \(host):\(port)", timeout: timeout)
        return RawConnection(channel: channel, incoming: incoming)
    }

    // MARK: Sending

    /// Sends bytes and waits until the kernel took them.
    package func send(_ bytes: [UInt8], timeout: Duration = defaultTimeout) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).value("a write", timeout: timeout)
    }

    /// Sends text as UTF-8 and waits until the kernel took it.
    package func send(_ text: String, timeout: Duration = defaultTimeout) async throws {
        try await send(Array(text.utf8), timeout: timeout)
    }

    /// Sends the pieces with one write each.
    ///
    /// - Parameter gap: a pause between them that makes it likely, never certain, that the peer reads them one by one.
    package func send(
        pieces: [[UInt8]], gap: Duration = .milliseconds(1), timeout: Duration = defaultTimeout
    ) async throws {
        for (index, piece) in pieces.enumerated() {
            if index > 0 { try await Task.sleep(for: gap) }
            try await send(piece, timeout: timeout)
        }
    }

    /// Sends bytes without waiting; calls from one task keep their order.
    package func enqueue(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Waits until the kernel took everything enqueued before.
    package func flushed(timeout: Duration = defaultTimeout) async throws {
        try await channel.writeAndFlush(ByteBuffer()).value("a write", timeout: timeout)
    }

    // MARK: Receiving

    /// Waits until `parse` finds what it looks for at the front of the unread bytes and takes it off.
    ///
    /// - Parameter parse: gets the unread bytes and whether the connection has ended; nil means more bytes are needed.
    /// - Throws: what `parse` throws, `ConnectionEnded`, `TimeoutError`.
    package func take<Result: Sendable>(
        _ what: @autoclosure @escaping @Sendable () -> String,
        timeout: Duration? = defaultTimeout,
        _ parse: @escaping @Sendable (inout ByteBuffer, _ ended: Bool) throws -> Result?
    ) async throws -> Result {
        try await incoming.wait(what(), timeout: timeout) { incoming in
            if let result = try parse(&incoming.buffer, incoming.end != nil) {
                if incoming.buffer.readableBytes == 0 { incoming.buffer.clear() }
                return result
            }
            guard let end = incoming.end else { return nil }
            throw ConnectionEnded(what: what(), end: end, rest: incoming.preview)
        }
    }

    /// Waits for `count` bytes and returns all that are there.
    package func read(atLeast count: Int, timeout: Duration = defaultTimeout) async throws -> [UInt8] {
        try await take("\(count) bytes", timeout: timeout) { buffer, _ in
            buffer.readableBytes >= count ? buffer.readBytes(length: buffer.readableBytes) : nil
        }
    }

    /// Waits for exactly `count` bytes; later ones stay unread.
    package func read(exactly count: Int, timeout: Duration = defaultTimeout) async throws -> [UInt8] {
        try await take("\(count) bytes", timeout: timeout) { buffer, _ in buffer.readBytes(length: count) }
    }

    /// Everything up to the end of the connection, however it ends.
    package func readUntilClose(timeout: Duration = defaultTimeout) async throws -> [UInt8] {
        try await take("the end of the connection", timeout: timeout) { buffer, ended in
            ended ? buffer.readBytes(length: buffer.readableBytes) : nil
        }
    }

    /// The bytes that have arrived and were not read, which stay unread.
    package var unread: [UInt8] { incoming.update { Array($0.buffer.readableBytesView) } }

    /// Stops reading from the socket, so that the peer's writes come to a stop. What was under way may still arrive.
    package func pauseReading() async throws {
        try await channel.setOption(.autoRead, value: false).value("reading to pause", timeout: defaultTimeout)
    }

    /// Reads again.
    package func resumeReading() async throws {
        try await channel.setOption(.autoRead, value: true).value("reading to resume", timeout: defaultTimeout)
    }

    // MARK: Ending

    /// How the connection ended, nil while it is open.
    package var end: ConnectionEnd? { incoming.update { $0.end } }

    /// Whether the peer closed or cut the connection.
    package var isClosedByPeer: Bool {
        switch end {
        case .closedByPeer, .failed: true
        case .closedHere, nil: false
        }
    }

    /// Waits for the end of the connection; unread bytes stay readable.
    @discardableResult
    package func waitForClose(timeout: Duration = defaultTimeout) async throws -> ConnectionEnd {
        try await incoming.wait("the end of the connection", timeout: timeout) { $0.end }
    }

    /// Sends FIN and goes on reading.
    package func shutdownOutput() async throws {
        try await channel.close(mode: .output).value("the end of the output", timeout: defaultTimeout)
    }

    /// Closes both directions. The kernel sends RST instead of FIN when it holds bytes that were not read.
    package func close() async {
        closeSoon()
        _ = try? await channel.closeFuture.value("the close", timeout: defaultTimeout)
    }

    /// Cuts the connection: the peer sees a reset (RST).
    package func reset() async {
        markClosedHere()
        if let socket = channel as? any SocketOptionProvider {
            try? await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).value("SO_LINGER", timeout: defaultTimeout)
        }
        try? await channel.close().value("the reset", timeout: defaultTimeout)
    }

    /// Closes without waiting.
    func closeSoon() {
        markClosedHere()
        channel.close(promise: nil)
    }

    private func markClosedHere() {
        incoming.update { if $0.end == nil { $0.end = .closedHere } }
    }
}

extension ConnectionEnd? {
    fileprivate var debugText: String { map { "\($0)" } ?? "none" }
}

/// Puts what arrives into the connection's buffer.
private final class IncomingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let incoming: Awaited<RawConnection.Incoming>
    private var failure: (any Error)?

    init(_ incoming: Awaited<RawConnection.Incoming>) {
        self.incoming = incoming
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        incoming.update { _ = $0.buffer.writeBuffer(&bytes) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let end: ConnectionEnd = failure.map { .failed("\($0)") } ?? .closedByPeer
        incoming.update { if $0.end == nil { $0.end = end } }
    }
}
