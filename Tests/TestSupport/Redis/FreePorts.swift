import Foundation

/// Ports for programs that cannot choose one themselves.
///
/// They lie below the range that kernels use for outgoing connections, so that a server that is restarted finds its
/// port free.
package enum FreePorts {
    private static let used = Locked(Set<Int>())

    /// - Parameter withBus: The port 10,000 above is free too.
    package static func next(host: String = "127.0.0.1", withBus: Bool = false) throws -> Int {
        for _ in 0..<1000 {
            let port = Int.random(in: 12_000..<22_000)
            guard used.withLock({ $0.insert(port).inserted }) else { continue }
            if isFree(port, host), !withBus || isFree(port + 10_000, host) { return port }
        }
        throw PeerError("no free port")
    }

    /// Whether an address can be used here, such as `::1`.
    package static func isAvailable(host: String) -> Bool { isFree(0, host) }

    private static func isFree(_ port: Int, _ host: String) -> Bool {
        #if os(Linux)
            let type = Int32(SOCK_STREAM.rawValue)
        #else
            let type = SOCK_STREAM
        #endif
        let isIPv6 = host.contains(":")
        let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // As servers do it: connections that ended lately are no obstacle.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            guard inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { return false }
            return bind(descriptor, &address)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return false }
        return bind(descriptor, &address)
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
            }
        }
    }
}
