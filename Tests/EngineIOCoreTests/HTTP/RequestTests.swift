import Testing

@testable import EngineIOCore

@Suite struct RequestTests {
    @Test(arguments: [
        ("/socket.io", true, "/socket.io/"), ("/socket.io/", true, "/socket.io/"),
        ("/socket.io//", true, "/socket.io//"),
        ("/socket.io/", false, "/socket.io"), ("/socket.io", false, "/socket.io"), ("", true, "/"), ("/", true, "/"),
    ])
    func pathNormalisation(path: String, addTrailingSlash: Bool, expected: String) {
        #expect(EndpointPath(path, addTrailingSlash: addTrailingSlash).value == expected)
    }

    @Test(arguments: [
        ("/socket.io/?EIO=4", true), ("/socket.io/", true), ("/socket.io/foo?x", true), ("/socket.io?x", false),
        ("/socket.io", false), ("/socket.i", false), ("/Socket.io/", false), ("/x/socket.io/", false), ("", false),
        ("http://h/socket.io/", false),
    ])
    func pathMatch(uri: String, expected: Bool) {
        #expect(EndpointPath("/socket.io").matches(uri) == expected)
    }

    @Test func pathWithoutSlash() {
        let path = EndpointPath("/socket.io", addTrailingSlash: false)
        #expect(path.matches("/socket.io?x"))
        #expect(path.matches("/socket.io/?x"))
    }

    @Test func origin() {
        #expect(RequestOrigin.isValid("http://example.com"))
        #expect(RequestOrigin.isValid(""))
        #expect(RequestOrigin.isValid("a\tb ~\u{E9}\u{1F600}"))
        for byte in (0 as UInt8)..<0x80 {
            let text = String(decoding: [0x61, byte, 0x62], as: UTF8.self)
            #expect(RequestOrigin.isValid(text) == (byte == 9 || (byte >= 0x20 && byte != 0x7F)), "\(byte)")
        }
    }

    @Test func cookies() throws {
        #expect(try CookieOptions().header(value: "abc_-9") == "io=abc_-9; Path=/; HttpOnly; SameSite=Lax")
        let other = try CookieOptions(name: "my", path: "/x", isHTTPOnly: false, sameSite: .strict, maxAge: 60)
        #expect(other.header(value: "s") == "my=s; Max-Age=60; Path=/x; SameSite=Strict")
        let all = try CookieOptions(
            name: "a", path: nil, domain: "d.example", isSecure: true, sameSite: CookieOptions.SameSite.none)
        #expect(all.header(value: "s") == "a=s; Domain=d.example; HttpOnly; Secure; SameSite=None")
        let bare = try CookieOptions(path: nil, isHTTPOnly: false, sameSite: nil)
        #expect(bare.header(value: "a;b\r\nSet-Cookie: x=\u{E9}") == "io=a%3Bb%0D%0ASet-Cookie%3A%20x%3D%C3%A9")
    }

    @Test(arguments: ["", "a b", "a=b", "a;b", "a\r\nb", "\u{E9}", "a\"b", "a,b"])
    func cookieNames(name: String) {
        #expect(throws: CookieError.invalidName) { try CookieOptions(name: name) }
    }

    @Test func cookieAttributes() {
        #expect(throws: CookieError.invalidPath) { try CookieOptions(path: "/;x") }
        #expect(throws: CookieError.invalidPath) { try CookieOptions(path: "/\n") }
        #expect(throws: CookieError.invalidDomain) { try CookieOptions(domain: "a;b") }
    }
}
