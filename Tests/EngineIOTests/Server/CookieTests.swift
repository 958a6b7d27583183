import TestSupport
import Testing

@testable import EngineIO

struct CookieTests {
    static let cases: [(String, @Sendable (inout EngineIOCookie) -> Void)] = [
        ("io=<sid>; Path=/; HttpOnly; SameSite=Lax", { _ in }),
        ("woot=<sid>; Path=/; HttpOnly; SameSite=Lax", { $0.name = "woot" }),
        ("io=<sid>; Path=/custom; HttpOnly; SameSite=Lax", { $0.path = "/custom" }),
        ("io=<sid>; HttpOnly; SameSite=Lax", { $0.path = nil }),
        ("io=<sid>; Path=/; HttpOnly; SameSite=Strict", { $0.sameSite = .strict }),
        ("io=<sid>; Path=/; SameSite=Lax", { $0.httpOnly = false }),
        (
            "io=<sid>; Max-Age=60; Path=/; HttpOnly; Secure",
            {
                $0.maxAge = .seconds(60)
                $0.secure = true
                $0.sameSite = nil
            }
        ),
    ]

    @Test(arguments: Self.cases.indices) func cookieOfTheHandshake(index: Int) async throws {
        try await withServer {
            var cookie = EngineIOCookie()
            Self.cases[index].1(&cookie)
            $0.cookie = cookie
        } _: { server in
            let reply = try await server.http.request("GET", TestServer.path())
            let sid = try #require(server.log.value.sessions.first).id
            #expect(reply.headers["set-cookie"] == Self.cases[index].0.replacing("<sid>", with: sid))
            // On the handshake only.
            try server.known(sid).send(text: "x")
            #expect(try await server.get(sid).headers["set-cookie"] == nil)
        }
    }

    @Test func noCookieByDefault() async throws {
        try await withServer { server in
            let reply = try await server.http.request("GET", TestServer.path())
            #expect(reply.headers["set-cookie"] == nil)
        }
    }

    @Test func impossibleCookieIsRefused() {
        var configuration = EngineIOConfiguration()
        configuration.cookie = EngineIOCookie(name: "a b")
        #expect(throws: EngineIOConfigurationError.self) { _ = try configuration.validated() }
    }
}
