import NIOCore
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Asks the system for all addresses of a host, in the order in which it would have them tried.
enum Resolver {
    struct Failure: Error, Equatable {
        /// The name is not known, in contrast to: nobody could be asked.
        var isUnknownName: Bool
        var words: String
    }

    /// - Throws: ``Failure``
    static func addresses(of host: String, port: Int, timeout: Duration) async throws -> [SocketAddress] {
        // A thread that waits for the system can't be called off; the command ends without it.
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let asked = NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try Self.ask(host, port) }
        let promise = loop.makePromise(of: [SocketAddress].self)
        let timer = loop.scheduleTask(in: TimeAmount(timeout)) {
            promise.fail(Failure(isUnknownName: false, words: "no answer in time"))
        }
        asked.whenComplete { result in
            timer.cancel()
            promise.completeWith(result)
        }
        return try await promise.futureResult.get()
    }

    private static func ask(_ host: String, _ port: Int) throws -> [SocketAddress] {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        hints.ai_family = AF_UNSPEC
        var first: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, "\(port)", &hints, &first)
        guard status == 0 else {
            throw Failure(isUnknownName: status == EAI_NONAME, words: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var next = first
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let pointer = UnsafeRawPointer(entry.ai_addr) else { continue }
            switch entry.ai_family {
            case AF_INET: addresses.append(SocketAddress(pointer.loadUnaligned(as: sockaddr_in.self), host: host))
            case AF_INET6: addresses.append(SocketAddress(pointer.loadUnaligned(as: sockaddr_in6.self), host: host))
            default: break
            }
        }
        return addresses
    }
}
