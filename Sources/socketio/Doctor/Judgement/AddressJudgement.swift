/// What the addresses of the host, and trying to connect to them, mean.
enum AddressJudgement {
    /// - Parameter isLiteral: whether the URL has the address itself.
    static func dns(_ host: String, addresses: [String], isLiteral: Bool) -> Finding {
        let host = SafeText.escape(host)
        if isLiteral { return .skipped(.dns, "\(host) is an address") }
        guard !addresses.isEmpty else {
            return .failure(.dns, "\(host) has no address", "Give the name an A or an AAAA record, or correct the URL.")
        }
        let list = addresses.joined(separator: ", ")
        guard addresses.allSatisfy({ $0.contains(":") }) else { return .ok(.dns, "\(host) is \(list)") }
        return .warning(
            .dns, "\(host) has IPv6 addresses only: \(list)",
            "Clients in networks without IPv6 can't come: add an A record if they are to.")
    }

    static func dns(_ host: String, failure: Resolver.Failure) -> Finding {
        let host = SafeText.escape(host)
        if failure.isUnknownName {
            return .failure(
                .dns, "\(host) is not known (\(failure.words))",
                "Correct the name in the URL, or add a DNS record for it; a new one may take hours to be seen everywhere."
            )
        }
        return .failure(
            .dns, "nobody could be asked for \(host) (\(failure.words))",
            "Look at this machine's network and its DNS servers.")
    }

    /// - Parameter attempts: each address with what became of it; nil if it is connected.
    static func tcp(_ attempts: [(address: String, failure: WireFailure?)], port: Int) -> Finding {
        let good = attempts.filter { $0.failure == nil }.map(\.address)
        let bad = attempts.compactMap { attempt in attempt.failure.map { (attempt.address, $0) } }
        let told = bad.map { "\($0.0) \($0.1.words)" }.joined(separator: ", ")
        if bad.isEmpty { return .ok(.tcp, "connected to \(good.joined(separator: " and ")), port \(port)") }
        if !good.isEmpty {
            return .warning(
                .tcp, "connected to \(good.joined(separator: " and ")), port \(port), but \(told)",
                """
                Clients may try the other address first: have the server listen there too, or take the address out of DNS. \
                For localhost, write 127.0.0.1 or ::1.
                """)
        }
        return .failure(.tcp, "port \(port): \(told)", Self.advice(bad.map(\.1), port: port))
    }

    private static func advice(_ failures: [WireFailure], port: Int) -> String {
        if failures.contains(.refused) {
            return """
                Nothing listens at port \(port): start the server, correct the port, or have the server listen on 0.0.0.0 or \
                :: and not on 127.0.0.1 alone, if it is another machine or a container.
                """
        }
        if failures.contains(.timeout) {
            return """
                Packets are swallowed: let port \(port) through the firewall or security group, and see that the machine is up.
                """
        }
        return "Look at the network between here and there: routes, VPN, and the address itself."
    }
}
