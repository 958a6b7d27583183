/// A range of addresses in CIDR notation.
package struct IPNetwork: Sendable, Hashable {
    private let prefix: UInt128
    private let mask: UInt128

    /// - Parameter text: `10.0.0.0/8`, `fd00::/8`, or a single address. Bits behind the prefix are ignored. `::/0`
    ///   holds IPv4 too.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.utf8.contains(UInt8(ascii: "%")), let address = IPAddress(first) else {
            return nil
        }
        // A mapped address is IPv6 by its spelling, and its prefix length counts from the first of 128 bits.
        let isDotted = !first.utf8.contains(UInt8(ascii: ":"))
        var length = 128
        if parts.count == 2 {
            guard let given = IPAddress.decimal(Array(parts[1].utf8.prefix(4))[...]), given <= (isDotted ? 32 : 128)
            else { return nil }
            length = isDotted ? given + 96 : given
        }
        self.mask = length == 0 ? 0 : UInt128.max << UInt128(128 - length)
        self.prefix = address.bits & self.mask
    }

    package func contains(_ address: IPAddress) -> Bool {
        address.bits & self.mask == self.prefix
    }

    /// Whether the text is an address of this network.
    package func contains(_ address: String) -> Bool {
        IPAddress(address).map { self.contains($0) } ?? false
    }
}
