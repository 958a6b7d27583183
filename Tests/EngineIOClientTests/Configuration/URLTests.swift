import Testing

@testable import EngineIOClient

struct URLTests {
    @Test(arguments: [
        ("http://example.com", false, "example.com", 80, ""),
        ("https://example.com/admin", true, "example.com", 443, "/admin"),
        ("ws://example.com:8080/", false, "example.com", 8080, "/"),
        ("WSS://example.com:443/a/b#c", true, "example.com", 443, "/a/b"),
        ("localhost:3000", false, "localhost", 3000, ""),
        ("http://[::1]:3000/x", false, "::1", 3000, "/x"),
        ("https://[fe80::1%25eth0]", true, "fe80::1%25eth0", 443, ""),
        ("http://example.com:/x", false, "example.com", 80, "/x"),
    ])
    func parts(text: String, isSecure: Bool, host: String, port: Int, path: String) throws {
        let url = try EngineURL(text)
        #expect(url.isSecure == isSecure)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.path == path)
        #expect(url.query.isEmpty)
    }

    @Test func query() throws {
        let url = try EngineURL("https://h/nsp?a=1&b=x%20y+z&a=2&c#?d=1")
        #expect(url.path == "/nsp")
        #expect(url.query.map { "\($0.0)=\($0.1)" } == ["a=1", "b=x y z", "a=2", "c="])
    }

    @Test(arguments: [
        "", "http://", "ftp://h", "http://:80", "http://h:x", "http://h:0", "http://h:65536", "http://::1",
        "http://[::1",
        "http://[::1]x", "http://user:secret@h", "http://a b", "http://a\r\nb",
    ])
    func refused(text: String) {
        #expect { try EngineURL(text) } throws: { ($0 as? EngineClientError)?.code == .invalidConfiguration }
    }

    @Test(arguments: [
        ("http://h", "h", "http://h"), ("https://h:443", "h", "https://h"), ("https://h:80", "h:80", "https://h:80"),
        ("http://[::1]:80", "[::1]", "http://[::1]"),
        ("http://[fe80::1%25e]:81", "[fe80::1]:81", "http://[fe80::1]:81"),
    ])
    func authority(text: String, authority: String, origin: String) throws {
        #expect(try EngineURL(text).authority == authority)
        #expect(try EngineURL(text).origin == origin)
    }
}
