/// Addresses that count as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one subscriber gets.
package struct AddressGroup: Sendable, Hashable {
    private let bits: UInt128

    package init(_ address: IPAddress) {
        self.bits = address.isIPv4 ? address.bits : (address.bits >> 64) << 64
    }

    /// nil for what is no IP address, such as the path of a Unix domain socket.
    package init?(_ text: String) {
        guard let address = IPAddress(text) else { return nil }
        self.init(address)
    }
}
