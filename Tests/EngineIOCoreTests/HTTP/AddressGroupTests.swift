import Testing

@testable import EngineIOCore

@Suite struct AddressGroupTests {
    private func isOne(_ first: String, _ second: String) throws -> Bool {
        try #require(AddressGroup(first)) == #require(AddressGroup(second))
    }

    @Test func eachIPv4AddressIsOne() throws {
        #expect(try self.isOne("192.0.2.1", "192.0.2.1"))
        #expect(try !self.isOne("192.0.2.1", "192.0.2.2"))
        #expect(try self.isOne("192.0.2.1", "::ffff:192.0.2.1"))
        #expect(try !self.isOne("::ffff:192.0.2.1", "::ffff:192.0.2.2"))
    }

    @Test func ipv6AddressesCountByTheirSubscriber() throws {
        #expect(try self.isOne("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"))
        #expect(try !self.isOne("2001:db8:1:2::1", "2001:db8:1:3::1"))
        #expect(try !self.isOne("2001:db8:1:2::1", "2001:db8:0:2::1"))
        #expect(try self.isOne("fe80::1%eth0", "fe80::2%eth1"))
        // No IPv4 address, although the high bits are the same.
        #expect(try !self.isOne("::1", "::ffff:0.0.0.1"))
    }

    @Test(arguments: ["", "/run/socket", "localhost", "1.2.3", "1.2.3.4:5"]) func noAddress(_ text: String) {
        #expect(AddressGroup(text) == nil)
    }
}
