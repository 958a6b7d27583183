import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Android)
    import Android
#endif

/// Writes to the socket of a channel past SwiftNIO's outbound path, while that has nothing to write itself: a small packet
/// goes to the system from where it lies, and nothing is kept of it.
///
/// What the system does not take, and errors, are left to SwiftNIO: its own write then meets the same condition.
///
/// The descriptor is used only until SwiftNIO has closed it (``forget()``); from then on it may be another socket's.
struct DirectSocket {
    private enum State {
        /// The channel's descriptor was not asked for yet: connections that write little never do.
        case unknown
        case known(NIOBSDSocket.Handle)
        case unavailable
    }

    private var state: State
    /// SwiftNIO may have bytes that are to leave before ours.
    private var mayHaveWrites: Bool

    /// - Parameters:
    ///   - isAvailable: false if there is another handler between the user's and the socket, as for TLS.
    ///   - isFresh: nothing was written to the channel before.
    init(isAvailable: Bool, isFresh: Bool) {
        self.state = isAvailable ? .unknown : .unavailable
        self.mayHaveWrites = !isFresh
    }

    /// The channel has closed its socket, or is about to.
    mutating func forget() { self.state = .unavailable }

    /// Something was written to the channel.
    mutating func wroteToChannel() { self.mayHaveWrites = true }

    /// Hands to the system what it takes of `bytes` at once, and takes that off them.
    mutating func send(_ bytes: inout ByteBuffer, _ context: ChannelHandlerContext) {
        if case .unavailable = self.state { return }
        if self.mayHaveWrites {
            guard (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) == 0 else { return }
            self.mayHaveWrites = false
        }
        if case .unknown = self.state {
            let descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }
            self.state = descriptor.map { .known($0) } ?? .unavailable
        }
        guard case .known(let descriptor) = self.state else { return }
        let sent = bytes.withUnsafeReadableBytes { Self.send(descriptor, $0) }
        if sent > 0 { bytes.moveReaderIndex(forwardBy: sent) }
    }

    private static func send(_ descriptor: NIOBSDSocket.Handle, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
            // SwiftNIO has switched SIGPIPE off for the socket.
            Darwin.send(descriptor, bytes.baseAddress, bytes.count, 0)
        #elseif canImport(Musl)
            Musl.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #elseif canImport(Glibc)
            Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #elseif canImport(Android)
            Android.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #endif
    }
}
