import Testing

@testable import EngineIOClient

struct CookieTests {
    private static let now: Int64 = 1_700_000_000

    private static func jar(_ values: String..., path: String = "/socket.io/") -> CookieJar {
        let jar = CookieJar()
        jar.store(values, requestPath: path, now: self.now)
        return jar
    }

    private static func header(_ jar: CookieJar, path: String = "/socket.io/", isSecure: Bool = true) -> String? {
        jar.header(path: path, isSecure: isSecure, now: self.now)
    }

    @Test func kept() {
        let jar = Self.jar(
            "io=abc; Path=/; HttpOnly; SameSite=Lax", " AWSALB = x=y ; Domain=example.com", "=z", "nothing")
        #expect(Self.header(jar) == "AWSALB=x=y; io=abc")
        #expect(Self.header(jar, path: "/") == "io=abc")
        jar.removeAll()
        #expect(Self.header(jar) == nil)
    }

    @Test func replacedAndDeleted() {
        let jar = Self.jar("a=1; Path=/", "b=2; Path=/", "c=3; Path=/", "a=4; Path=/")
        #expect(Self.header(jar) == "a=4; b=2; c=3")
        jar.store(["a=; Path=/; Max-Age=0"], requestPath: "/", now: Self.now)
        jar.store(["b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], requestPath: "/", now: Self.now)
        // Another path is another cookie.
        jar.store(["c=; Path=/x; Max-Age=-1"], requestPath: "/", now: Self.now)
        #expect(Self.header(jar) == "c=3")
    }

    @Test func expiry() {
        let jar = Self.jar(
            "a=1; Max-Age=10", "b=2; expires=Wed, 15-Nov-2023 00:00:00 GMT; max-age=100000",
            "c=3; Expires=Wed, 15 Nov 2023 00:00:00 GMT", "d=4; Max-Age=9223372036854775807", "e=5; Max-Age=x")
        #expect(Self.header(jar) == "a=1; b=2; c=3; d=4; e=5")
        #expect(jar.header(path: "/socket.io/", isSecure: true, now: Self.now + 10) == "b=2; c=3; d=4; e=5")
        #expect(jar.header(path: "/socket.io/", isSecure: true, now: 1_700_006_400) == "b=2; d=4; e=5")
    }

    @Test func secureAndPaths() {
        let jar = Self.jar("a=1; Secure; Path=/", "b=2; Path=/sock", "c=3; Path=/socket.io", "d=4; Path=/socket.io/x")
        #expect(Self.header(jar) == "c=3; a=1")
        #expect(Self.header(jar, isSecure: false) == "c=3")
        // Without a path: that of the folder.
        #expect(Self.header(Self.jar("a=1", path: "/app/socket.io/")) == nil)
        #expect(Self.header(Self.jar("a=1", path: "/app/socket.io/"), path: "/app/socket.io/") == "a=1")
        #expect(Self.header(Self.jar("a=1; Path=relative", path: "/x"), path: "/") == "a=1")
    }

    @Test func bounds() {
        let jar = CookieJar()
        jar.store((0..<60).map { "c\($0)=1; Path=/" }, requestPath: "/", now: Self.now)
        let names = Self.header(jar)?.split(separator: ";").count
        #expect(names == CookieJar.maxCookies)
        #expect(Self.header(jar)?.hasPrefix("c10=1; ") == true)
        #expect(Self.header(Self.jar("a=" + String(repeating: "x", count: 4096))) == nil)
        #expect(Self.header(Self.jar("a=1\r\nX: y")) == nil)
    }

    @Test(
        arguments: [
            ("Wed, 09 Jun 2021 10:18:14 GMT", 1_623_233_894), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("29 Feb 2024 00:00:00", 1_709_164_800),
        ] as [(String, Int64)])
    func dates(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test(arguments: [
        "", "tomorrow", "Wed, 09 Jun 2021", "09 2021 10:18:14", "45 Jun 2021 10:18:14", "09 Jun 2021 25:00:00",
    ])
    func noDates(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}
