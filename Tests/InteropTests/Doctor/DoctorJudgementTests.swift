import EngineIOClient
import EngineIOCore
import NIOCore
import Testing

@testable import socketio

/// What `socketio doctor` makes of what it has seen, without a network.
@Suite struct DoctorJudgementTests {
    private static let session =
        #"0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
    private static let handshake = Handshake(
        sid: "abc", upgrades: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000)

    private static func expect(
        _ finding: Finding, _ outcome: Finding.Outcome, _ seen: String, _ advice: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(finding.outcome == outcome, "\(finding)", sourceLocation: sourceLocation)
        #expect(finding.seen.contains(seen), "\(finding)", sourceLocation: sourceLocation)
        if let advice {
            #expect(finding.advice?.contains(advice) == true, "\(finding)", sourceLocation: sourceLocation)
        } else if outcome == .ok {
            #expect(finding.advice == nil, "\(finding)", sourceLocation: sourceLocation)
        }
    }

    // MARK: The way there

    @Test func urls() throws {
        let cases: [(String, path: String?, String?, endpoint: String, namespace: String, Finding.Outcome)] = [
            ("http://a", nil, nil, "/socket.io/", "/", .ok),
            ("https://a/chat", "/ws", nil, "/ws/", "/chat", .ok),
            ("http://a/", nil, "chat", "/socket.io/", "/chat", .ok),
            ("a:3000", nil, nil, "/socket.io/", "/", .warning),
            ("http://a/socket.io/", nil, nil, "/socket.io/", "/", .warning),
            ("http://a/app/socket.io", nil, nil, "/app/socket.io/", "/", .warning),
        ]
        for (text, path, name, endpoint, namespace, outcome) in cases {
            let place = URLJudgement.judge(text, try EngineURL(text), path: path, namespace: name)
            #expect(place.path == endpoint, "\(text)")
            #expect(place.namespace == namespace, "\(text)")
            #expect(place.finding.outcome == outcome, "\(text)")
        }
    }

    @Test func addresses() {
        Self.expect(AddressJudgement.dns("a", addresses: ["1.2.3.4", "::1"], isLiteral: false), .ok, "1.2.3.4, ::1")
        Self.expect(AddressJudgement.dns("a", addresses: ["::1"], isLiteral: false), .warning, "IPv6", "A record")
        Self.expect(AddressJudgement.dns("a", addresses: [], isLiteral: false), .failure, "no address", "AAAA")
        Self.expect(AddressJudgement.dns("::1", addresses: ["::1"], isLiteral: true), .skipped, "address")
        let unknown = Resolver.Failure(isUnknownName: true, words: "x")
        Self.expect(AddressJudgement.dns("a\u{1B}", failure: unknown), .failure, "a\\u001b is not known", "Correct")
        let silent = Resolver.Failure(isUnknownName: false, words: "x")
        Self.expect(AddressJudgement.dns("a", failure: silent), .failure, "nobody could be asked", "DNS servers")
    }

    @Test func connections() {
        let cases: [([(address: String, failure: WireFailure?)], Finding.Outcome, String, String?)] = [
            ([("1.1.1.1", nil), ("::1", nil)], .ok, "1.1.1.1 and ::1, port 80", nil),
            ([("::1", .refused), ("127.0.0.1", nil)], .warning, "but ::1 was refused", "localhost"),
            ([("1.1.1.1", .refused)], .failure, "was refused", "Nothing listens"),
            ([("1.1.1.1", .timeout)], .failure, "was not answered in time", "firewall"),
            ([("::1", .unreachable), ("1.1.1.1", .refused)], .failure, "no way", "Nothing listens"),
            ([("::1", .unreachable)], .failure, "no way", "routes"),
        ]
        for (attempts, outcome, seen, advice) in cases {
            Self.expect(AddressJudgement.tcp(attempts, port: 80), outcome, seen, advice)
        }
    }

    @Test func certificates() {
        let day: Int64 = 86_400
        let now = 1000 * day
        func certificate(_ from: Int64, _ to: Int64, _ name: String = "a.example", isSelfSigned: Bool = false)
            -> Certificate
        {
            Certificate(
                notBefore: now + from * day, notAfter: now + to * day + 60, names: [name], issuer: "CA",
                isSelfSigned: isSelfSigned)
        }
        let untrusted = WireFailure.tls("CERTIFICATE_VERIFY_FAILED")
        let cases: [(WireFailure?, Certificate?, String?, Finding.Outcome, String, String?)] = [
            (nil, certificate(-1, 14), "TLS 1.3", .ok, "TLS 1.3, certificate by CA, valid for 14 days more", nil),
            (nil, certificate(-1, 13), "TLS 1.3", .warning, "13 days", "Renew"),
            (nil, certificate(-1, 1), "TLS 1.2", .warning, "1 day more", "Renew"),
            (untrusted, certificate(-9, -2), nil, .failure, "expired on 1972-09-25", "Renew"),
            (untrusted, certificate(1, 9), nil, .failure, "not valid before", "clock"),
            (
                .otherHostName, certificate(-1, 9, "b.example"), nil, .failure, "not for a.example but for b.example",
                "name"
            ),
            (untrusted, certificate(-1, 9, isSelfSigned: true), "TLS 1.3", .failure, "signed by itself", "Encrypt"),
            (untrusted, certificate(-1, 9), "TLS 1.3", .failure, "authority is not trusted: CA", "fullchain"),
            (.tls("PROTOCOL_VERSION"), certificate(-1, 9), "TLS 1.0", .failure, "than TLS 1.0", "ssl_protocols"),
            (.tls("WRONG_VERSION_NUMBER"), nil, nil, .failure, "does not speak TLS", "http://"),
            (.closed, nil, nil, .failure, "closed in the middle", "right port"),
            (.timeout, nil, nil, .failure, "not answered in time", "settings"),
        ]
        for (failure, certificate, version, outcome, seen, advice) in cases {
            let probe = TLSProbe(failure: failure, certificate: certificate, version: version)
            let finding = TLSJudgement.judge(probe, host: "a.example", isInsecure: false, now: now)
            Self.expect(finding, outcome, seen, advice)
        }
    }

    @Test func namesOfCertificates() {
        let names = ["a.example", "*.b.example", "127.0.0.1", "::1"]
        let certificate = Certificate(notBefore: 0, notAfter: 1, names: names, issuer: "CA", isSelfSigned: false)
        for host in ["A.example", "x.b.example", "127.0.0.1", "::1", "0:0::1"] { #expect(certificate.isFor(host)) }
        for host in ["b.example", "x.y.b.example", "a.examples", "127.0.0.2"] { #expect(!certificate.isFor(host)) }
    }

    // MARK: Answers

    @Test func handshakes() {
        func judge(_ status: Int, _ headers: [(String, String)] = [], _ body: String = "") -> Finding {
            HandshakeJudgement.judge(ProbeAnswer(status: status, headers: headers, body: body), path: "/socket.io/")
        }
        Self.expect(judge(200, [], Self.session), .ok, "session abc")
        Self.expect(judge(200, [("Set-Cookie", "lb=1; Path=/")], Self.session), .ok, "sets the cookie lb")
        Self.expect(judge(200, [], "97:0{\"sid\":\"a\"}2:40"), .failure, "protocol 3 only", "Update the server")
        Self.expect(judge(200, [], "0{}"), .failure, "no Socket.IO server", "port or --path")
        Self.expect(judge(200, [], "<!doctype html><title>App</title>"), .failure, "\"App\"", "single-page")
        Self.expect(judge(200), .failure, "no Socket.IO server", "port")
        Self.expect(judge(302, [("Location", "https://b/x?c")]), .failure, "302", "https://b/x.")
        Self.expect(judge(400, [], #"{"code":0,"message":"Transport unknown"}"#), .warning, "polling", "transports")
        Self.expect(
            judge(400, [], #"{"code":5,"message":"Unsupported protocol version"}"#), .failure, "400", "protocol 4")
        Self.expect(judge(400, [], #""Invalid session x""#), .failure, "400", "sticky")
        Self.expect(judge(403, [], #"{"code":4,"message":"no"}"#), .failure, "403", "allowRequest")
        Self.expect(judge(403, [("Server", "cloud")]), .failure, "403 (from cloud)", "firewall")
        Self.expect(judge(404, [], "<pre>Cannot GET /socket.io/</pre>"), .failure, "404", "Express")
        for status in [401, 404, 407, 413, 429, 500, 502, 503, 504, 418, 400] {
            let finding = judge(status)
            #expect(finding.outcome == .failure)
            #expect(finding.advice?.isEmpty == false)
        }
        // What others have written does nothing to a terminal.
        Self.expect(judge(500, [("server", "\u{1B}[2J")], "\u{1B}[2J"), .failure, #"\u001b[2J"#, "log")
        for failure: WireFailure in [.refused, .timeout, .closed, .tls("x"), .notHTTP, .other("x"), .unreachable] {
            Self.expect(HandshakeJudgement.judge(failure, isSecure: false), .failure, failure.words)
        }
    }

    @Test func versionsAndParameters() {
        var handshake = Self.handshake
        let refused = ProbeAnswer(status: 400, body: #"{"code":5,"message":"Unsupported protocol version"}"#)
        let taken = ProbeAnswer(status: 200, body: "96:0{\"sid\":\"a\"}2:40")
        Self.expect(VersionJudgement.versions(handshake, old: refused), .ok, "allowEIO3")
        Self.expect(VersionJudgement.versions(handshake, old: taken), .ok, "and protocol 3")
        Self.expect(VersionJudgement.versions(handshake, old: nil), .ok, "Socket.IO 3 or newer")
        Self.expect(VersionJudgement.parameters(handshake), .ok, "pingInterval 25000 ms")
        handshake.pingInterval = 60_000
        Self.expect(VersionJudgement.parameters(handshake), .warning, "60000", "proxy_read_timeout")
        handshake = Self.handshake
        handshake.pingTimeout = 1_000
        Self.expect(VersionJudgement.parameters(handshake), .warning, "1000", "raise `pingTimeout`")
        handshake = Self.handshake
        handshake.maxPayload = 100
        Self.expect(VersionJudgement.parameters(handshake), .warning, "100 bytes", "maxHttpBufferSize")
        handshake.maxPayload = .max
        Self.expect(VersionJudgement.parameters(handshake), .ok, "not told")
        Self.expect(VersionJudgement.versions(handshake, old: nil), .ok, "before 4.5")
    }

    @Test func sessions() {
        func outcome(_ status: Int, _ body: String = "") -> SessionJudgement.Outcome {
            SessionJudgement.Outcome(ProbeAnswer(status: status, body: body))
        }
        let unknown = outcome(400, #"{"code":1,"message":"Session ID unknown"}"#)
        #expect(unknown == .unknown)
        #expect(outcome(200, "ok") == .known)
        func judge(_ outcomes: [SessionJudgement.Outcome], _ bare: [SessionJudgement.Outcome] = []) -> Finding {
            SessionJudgement.judge(outcomes, path: "/", cookies: ["lb"], withoutCookies: bare)
        }
        Self.expect(judge([.known, .known], [.known]), .ok, "2 requests")
        Self.expect(judge([.known, unknown, .unknown]), .failure, "2 of 3", "ip_hash")
        Self.expect(judge([.known], [.unknown]), .warning, "only with the cookie lb", "withCredentials")
        Self.expect(judge([.known, outcome(413)]), .failure, "status 413", "client_max_body_size")
        Self.expect(judge([.known, .failed(.timeout)]), .failure, "not answered in time", "proxy_buffering")
    }

    @Test func webSockets() {
        func refused(_ status: Int, _ body: String = "", isPollingFine: Bool = true) -> Finding {
            WebSocketJudgement.refused(
                .upgrade, ProbeAnswer(status: status, body: body), path: "/", isPollingFine: isPollingFine)
        }
        for (status, body) in [
            (200, Self.session), (426, ""), (400, "Bad request"), (404, ""), (400, "Invalid websocket upgrade"),
        ] {
            Self.expect(refused(status, body), .failure, "status \(status) instead of 101", "$http_upgrade")
        }
        Self.expect(refused(101), .failure, "Sec-WebSocket-Accept", "cache")
        Self.expect(refused(400, "Session ID unknown"), .failure, "400", "sticky")
        Self.expect(refused(400, "Transport unknown"), .warning, "400", "does not offer")
        // As Node.js labels it.
        let labelled = ProbeAnswer(status: 400, headers: [("Content-Type", "text/html")], body: "Transport unknown")
        Self.expect(
            WebSocketJudgement.refused(.webSocket, labelled, path: "/", isPollingFine: true), .warning,
            "status 400 instead of 101: \"Transport unknown\"", "does not offer")
        #expect(ProbeAnswer(status: 400, body: #"{"code":3,"message":"Bad request"}"#).excerpt == #""Bad request""#)
        Self.expect(refused(403), .failure, "403", "firewall")
        Self.expect(refused(404, isPollingFine: false), .failure, "404", "--path")
        Self.expect(WebSocketJudgement.direct(Self.session), .ok, "101")
        Self.expect(WebSocketJudgement.direct(nil), .failure, "nothing", "proxy")
        Self.expect(WebSocketJudgement.direct("hello"), .failure, "\"hello\"", "Another WebSocket server")
        Self.expect(WebSocketJudgement.upgrade("3probe"), .ok, "WebSocket")
        Self.expect(WebSocketJudgement.upgrade("3"), .failure, "with \"3\"", "proxy")
        Self.expect(WebSocketJudgement.upgrade(nil), .failure, "not", "proxy")
        Self.expect(WebSocketJudgement.failed(.upgrade, .closed), .failure, "closed", "$http_upgrade")
        Self.expect(WebSocketJudgement.notOffered(true), .skipped, "allowUpgrades")
        Self.expect(WebSocketJudgement.notOffered(false), .warning, "no upgrade", "simple-websocket")
    }

    @Test func cors() throws {
        let app = "https://app.example"
        let server = try EngineURL("https://api.example")
        func judge(
            _ headers: [(String, String)], status: Int = 200, preflight: ProbeAnswer? = nil, webSocket: Int? = nil,
            names: [String] = []
        ) -> Finding {
            let answers = CORSJudgement.Answers(
                simple: ProbeAnswer(status: status, headers: headers), preflight: preflight,
                refusedWebSocket: webSocket.map { ProbeAnswer(status: $0) })
            return CORSJudgement.judge(answers, origin: app, server: server, headers: names)
        }
        let allowed = [("Access-Control-Allow-Origin", app)]
        Self.expect(judge(allowed), .ok, "without cookies")
        Self.expect(judge(allowed + [("Access-Control-Allow-Credentials", "true")]), .ok, "also with cookies")
        Self.expect(judge([("Access-Control-Allow-Origin", "*")]), .ok, "instead of *")
        Self.expect(judge([]), .failure, "no Access-Control-Allow-Origin", "cors: { origin: \"\(app)\" }")
        Self.expect(judge([("Access-Control-Allow-Origin", app + "/")]), .failure, "and not \(app)", "slash")
        Self.expect(judge(allowed + allowed), .failure, "twice", "add_header")
        Self.expect(judge([], status: 403), .failure, "status 403", "cors")
        Self.expect(judge(allowed, webSocket: 403), .failure, "WebSocket is answered with status 403", "allowRequest")
        let fine = ProbeAnswer(
            status: 204, headers: allowed + [("Access-Control-Allow-Headers", "Content-Type, X-Token")])
        Self.expect(judge(allowed, preflight: fine, names: ["x-token"]), .ok, "may connect")
        Self.expect(judge(allowed, preflight: fine, names: ["x-b"]), .failure, "x-b are not allowed", "allowedHeaders")
        Self.expect(judge(allowed, preflight: ProbeAnswer(status: 404)), .warning, "OPTIONS", "extraHeaders")
        let mixed = CORSJudgement.judge(
            CORSJudgement.Answers(simple: ProbeAnswer(status: 200, headers: allowed)), origin: app,
            server: try EngineURL("http://api.example"), headers: [])
        Self.expect(mixed, .failure, "without TLS", "mixed content")
    }

    @Test func namespaces() {
        func judge(_ packet: String?, _ namespace: String = "/", hasAuth: Bool = false) -> Finding {
            NamespaceJudgement.judge(packet, namespace: namespace, hasAuth: hasAuth)
        }
        #expect(NamespaceJudgement.connect("/", auth: nil) == "40")
        #expect(NamespaceJudgement.connect("/a", auth: "{}") == "40/a,{}")
        Self.expect(judge(#"40{"sid":"x"}"#), .ok, "joined / as x")
        Self.expect(judge(#"40/a,{"sid":"x"}"#, "/a"), .ok, "joined /a as x")
        Self.expect(judge(#"44{"message":"no","data":{"code":1}}"#), .failure, #"refuses /: no {"code":1}"#, "--auth")
        Self.expect(judge(#"44/a,{"message":"no"}"#, "/a", hasAuth: true), .failure, "/a: no", "right")
        Self.expect(judge(#"44/a,{"message":"Invalid namespace"}"#, "/a"), .failure, "Invalid", "no such namespace")
        Self.expect(judge(#"44/a,"Unable to connect""#, "/a"), .failure, "Unable to connect")
        Self.expect(judge("44{"), .failure, "{")
        Self.expect(judge(nil), .failure, "not answered", "next()")
        Self.expect(
            NamespaceJudgement.judge(.timeout, namespace: "/", hasAuth: false), .failure, "not answered", "next()")
    }

    @Test func times() {
        let cases: [(Duration, String)] = [
            (.microseconds(420), "0.42 ms"), (.microseconds(5), "0.00 ms"), (.milliseconds(12), "12 ms"),
            (.milliseconds(9_999), "9999 ms"), (.milliseconds(25_040), "25.0 s"),
        ]
        for (time, text) in cases { #expect(TimeJudgement.text(time) == text) }
        Self.expect(
            TimeJudgement.ping(.came(after: .seconds(25)), interval: 25_000, transport: "polling"), .ok, "25.0 s")
        Self.expect(
            TimeJudgement.ping(.didNotCome(within: .seconds(35)), interval: 25_000, transport: "WebSocket"), .failure,
            "no ping", "proxy_read_timeout")
        Self.expect(
            TimeJudgement.ping(.ended(.closed, after: .seconds(12)), interval: 25_000, transport: "WebSocket"),
            .failure,
            "after 12.0 s, before", "idle timeout")
        Self.expect(
            TimeJudgement.roundTrip([.milliseconds(2), .milliseconds(3)], handshake: nil), .ok, "2.00 ms to 3.00 ms")
        Self.expect(TimeJudgement.roundTrip([.seconds(2)], handshake: nil), .warning, "2000 ms", "overloaded")
        Self.expect(TimeJudgement.roundTrip([], handshake: .milliseconds(20)), .ok, "20 ms")
        Self.expect(TimeJudgement.roundTrip([], handshake: nil), .skipped, "nothing")
    }
}
