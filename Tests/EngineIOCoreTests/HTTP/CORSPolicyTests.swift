import Testing

@testable import EngineIOCore

@Suite struct CORSPolicyTests {
    static let origin = "http://example.com"

    static func lines(
        _ policy: CORSPolicy,
        _ origin: String?,
        preflight: Bool = false,
        requested: String? = nil
    ) -> [String] {
        policy.headers(requestOrigin: origin, isPreflight: preflight, requestedHeaders: requested)
            .map { "\($0.0): \($0.1)" }
    }

    @Test func off() {
        let policy = CORSPolicy()
        #expect(!policy.isEnabled)
        #expect(!policy.allows(origin: Self.origin))
        #expect(Self.lines(policy, Self.origin).isEmpty)
        #expect(Self.lines(policy, Self.origin, preflight: true).isEmpty)
    }

    @Test func anyOrigin() {
        let policy = CORSPolicy(origin: .any)
        #expect(policy.allows(origin: "http://x"))
        #expect(Self.lines(policy, Self.origin) == ["Access-Control-Allow-Origin: *"])
        #expect(Self.lines(policy, nil) == ["Access-Control-Allow-Origin: *"])
    }

    @Test func listAndCredentials() {
        let policy = CORSPolicy(origin: .list([Self.origin]), credentials: true, allowedHeaders: ["my-header"])
        #expect(
            Self.lines(policy, Self.origin) == [
                "Access-Control-Allow-Origin: http://example.com", "Vary: Origin",
                "Access-Control-Allow-Credentials: true",
            ]
        )
        let other = ["Vary: Origin", "Access-Control-Allow-Credentials: true"]
        for origin in [
            "http://other.com", "http://example.com.evil", "http://example.co", "HTTP://example.com", "null", "",
        ] {
            #expect(Self.lines(policy, origin) == other)
            #expect(!policy.allows(origin: origin))
        }
        #expect(Self.lines(policy, nil) == other)
    }

    @Test func preflight() {
        let policy = CORSPolicy(origin: .list([Self.origin]), methods: ["GET", "POST"])
        #expect(
            Self.lines(policy, Self.origin, preflight: true, requested: "content-type") == [
                "Access-Control-Allow-Origin: http://example.com", "Vary: Origin, Access-Control-Request-Headers",
                "Access-Control-Allow-Methods: GET,POST", "Access-Control-Allow-Headers: content-type",
            ]
        )
        #expect(policy.optionsSuccessStatus == 204)
    }

    /// The engine.io suite: preflight from the current origin, all methods, configured headers, credentials.
    @Test func preflightFromTheCurrentOrigin() {
        let policy = CORSPolicy(origin: .predicate { _ in true }, credentials: true, allowedHeaders: ["my-header"])
        #expect(
            Self.lines(policy, "http://localhost:1", preflight: true, requested: "x") == [
                "Access-Control-Allow-Origin: http://localhost:1", "Vary: Origin",
                "Access-Control-Allow-Credentials: true",
                "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE",
                "Access-Control-Allow-Headers: my-header",
            ]
        )
        #expect(
            Self.lines(policy, "http://localhost:1") == [
                "Access-Control-Allow-Origin: http://localhost:1", "Vary: Origin",
                "Access-Control-Allow-Credentials: true",
            ]
        )
    }

    @Test func preflightFromAnotherOrigin() {
        let policy = CORSPolicy(origin: .list(["http://good-domain.com"]))
        let lines = Self.lines(policy, "http://bad-domain.com", preflight: true)
        #expect(!lines.contains { $0.hasPrefix("Access-Control-Allow-Origin") })
        #expect(lines.contains("Vary: Origin, Access-Control-Request-Headers"))
        #expect(!lines.contains { $0.hasPrefix("Access-Control-Allow-Headers") })
    }

    @Test func allOptions() {
        let policy = CORSPolicy(
            origin: .list(["http://good-domain.com"]),
            credentials: true,
            methods: ["GET", "PUT", "POST"],
            allowedHeaders: ["my-header", "my-other-header"],
            exposedHeaders: ["my-exposed-header", "my-other-exposed-header"],
            maxAge: 123,
            optionsSuccessStatus: 200
        )
        #expect(
            Self.lines(policy, "http://good-domain.com", preflight: true) == [
                "Access-Control-Allow-Origin: http://good-domain.com", "Vary: Origin",
                "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Methods: GET,PUT,POST",
                "Access-Control-Allow-Headers: my-header,my-other-header", "Access-Control-Max-Age: 123",
                "Access-Control-Expose-Headers: my-exposed-header,my-other-exposed-header",
            ]
        )
        #expect(policy.optionsSuccessStatus == 200)
        #expect(
            Self.lines(policy, "http://good-domain.com").last
                == "Access-Control-Expose-Headers: my-exposed-header,my-other-exposed-header"
        )
    }

    @Test func predicate() {
        let policy = CORSPolicy(origin: .predicate { $0.hasSuffix(".example") })
        #expect(policy.allows(origin: "http://a.example"))
        #expect(!policy.allows(origin: "http://a.test"))
        #expect(Self.lines(policy, "http://a.test") == ["Vary: Origin"])
    }

    @Test func whatCannotStandInAHeaderIsNotRepeated() {
        let policy = CORSPolicy(origin: .predicate { _ in true })
        #expect(Self.lines(policy, "http://a\r\nX: y") == ["Vary: Origin"])
        for requested in ["a\r\nX: y", String(repeating: "h", count: 5000), "\u{E9}", ""] {
            let lines = Self.lines(policy, Self.origin, preflight: true, requested: requested)
            #expect(!lines.contains { $0.hasPrefix("Access-Control-Allow-Headers") })
        }
    }
}
