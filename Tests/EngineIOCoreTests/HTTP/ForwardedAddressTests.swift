import Testing

@testable import EngineIOCore

@Suite struct ForwardedAddressTests {
    static let proxies = ["10.0.0.0/8", "fd00::/8"].compactMap { IPNetwork($0) }

    static func client(
        peer: String = "10.0.0.1",
        forwarded: [String] = [],
        list: [String] = [],
        trusted: [IPNetwork] = proxies
    ) -> String {
        ForwardedAddress.client(peer: peer, headers: forwarded, xForwardedFor: list, trusted: trusted)
    }

    @Test(arguments: [
        (["1.2.3.4"], "1.2.3.4"), (["1.2.3.4, 10.0.0.2"], "1.2.3.4"), (["1.2.3.4", "10.0.0.2"], "1.2.3.4"),
        (["9.9.9.9, 1.2.3.4"], "1.2.3.4"), (["9.9.9.9", "1.2.3.4 , 10.0.0.2"], "1.2.3.4"),
        (["10.0.0.3,10.0.0.2"], "10.0.0.3"), (["1.2.3.4:5678"], "1.2.3.4"), (["[2001:db8::1]:80"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"), (["::ffff:1.2.3.4"], "1.2.3.4"), (["unknown"], "10.0.0.1"),
        (["1.2.3.4, unknown"], "10.0.0.1"), (["1.2.3.4, unknown, 10.0.0.2"], "10.0.0.2"), ([""], "10.0.0.1"),
        (["1.2.3.4,"], "10.0.0.1"), (["<script>"], "10.0.0.1"), (["1.2.3.4:x y"], "10.0.0.1"),
        (["[1.2.3.4]"], "10.0.0.1"),
    ])
    func list(values: [String], expected: String) {
        #expect(Self.client(list: values) == expected)
    }

    @Test(arguments: [
        (["for=1.2.3.4"], "1.2.3.4"), (["For=1.2.3.4;proto=https;by=10.0.0.1"], "1.2.3.4"),
        (["proto=https ; for=\"1.2.3.4:99\""], "1.2.3.4"), (["for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
        (["for=\"[2001:db8::1]\""], "2001:db8::1"), (["for=1.2.3.4, for=10.0.0.2"], "1.2.3.4"),
        (["for=1.2.3.4", "for=10.0.0.2"], "1.2.3.4"), (["for=9.9.9.9,for=1.2.3.4"], "1.2.3.4"),
        (["for=unknown"], "10.0.0.1"), (["for=_hidden, for=10.0.0.2"], "10.0.0.2"),
        (["for=1.2.3.4, proto=http"], "10.0.0.1"),
        (["for=1.2.3.4;for=5.6.7.8"], "10.0.0.1"), (["for=\"1.2.3.4"], "10.0.0.1"), (["for=\"1.2\\.3.4\""], "1.2.3.4"),
        (["for=\"a, for=1.2.3.4"], "10.0.0.1"), (["x=\", for=9.9.9.9\";for=1.2.3.4"], "1.2.3.4"),
        (["for=1.2.3.4;x=\", for=\"[2001:db8::9]\""], "10.0.0.1"), (["for = 1.2.3.4"], "10.0.0.1"),
        ([";;,"], "10.0.0.1"),
        (["for=\"1.2.3.4:_port\""], "1.2.3.4"), (["for=\"\\"], "10.0.0.1"), ([""], "10.0.0.1"),
    ])
    func forwarded(values: [String], expected: String) {
        #expect(Self.client(forwarded: values) == expected)
    }

    @Test func nothingIsBelievedOfAnUntrustedPeer() {
        #expect(Self.client(peer: "5.5.5.5", list: ["1.2.3.4"]) == "5.5.5.5")
        #expect(Self.client(peer: "5.5.5.5", forwarded: ["for=1.2.3.4"]) == "5.5.5.5")
        #expect(Self.client(list: ["1.2.3.4"], trusted: []) == "10.0.0.1")
        #expect(Self.client(peer: "/tmp/socket", list: ["1.2.3.4"]) == "/tmp/socket")
        #expect(Self.client() == "10.0.0.1")
    }

    @Test func peerInItsMappedForm() {
        #expect(Self.client(peer: "::ffff:10.0.0.1", list: ["1.2.3.4"]) == "1.2.3.4")
        #expect(Self.client(peer: "fd00::5", list: ["1.2.3.4"]) == "1.2.3.4")
    }

    @Test func bothHeaders() {
        #expect(Self.client(forwarded: ["for=1.2.3.4"], list: ["1.2.3.4"]) == "1.2.3.4")
        // A client behind a proxy that sets one of them can forge the other.
        #expect(Self.client(forwarded: ["for=9.9.9.9"], list: ["1.2.3.4"]) == "10.0.0.1")
        #expect(Self.client(forwarded: ["for=unknown"], list: ["1.2.3.4"]) == "10.0.0.1")
    }

    @Test func bounds() {
        let chain = ["1.2.3.4"] + Array(repeating: "10.0.0.2", count: ForwardedAddress.maxHops - 1)
        #expect(Self.client(list: [chain.joined(separator: ",")]) == "1.2.3.4")
        let longer = ["1.2.3.4"] + Array(repeating: "10.0.0.2", count: ForwardedAddress.maxHops)
        #expect(Self.client(list: [longer.joined(separator: ",")]) == "10.0.0.2")
        #expect(Self.client(list: [String(repeating: " ", count: 8192) + "1.2.3.4"]) == "10.0.0.1")
        #expect(Self.client(forwarded: [String(repeating: "for=\"", count: 2000)]) == "10.0.0.1")
    }

    @Test func anyText() {
        var generator = SeededGenerator(state: 99)
        let alphabet = Array("for=\"\\,;: 1.2[]_xFOR\t\u{E9}")
        for _ in 0..<5000 {
            let count = Int.random(in: 0...40, using: &generator)
            let text = String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
            for result in [Self.client(forwarded: [text]), Self.client(list: [text])] {
                #expect(IPAddress(result) != nil)
            }
        }
    }
}
