import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import EngineIO

/// The reference's answers, captured byte by byte, are ours.
struct VectorTests {
    /// Where we decided otherwise, and why. Their own tests show what happens instead.
    static let differences: [String: String] = [
        "compressed poll response": "responses are not compressed",
        "websocket with b64": "binary messages go out in binary frames: every WebSocket client can receive them",
        "websocket upgrade, transport polling": "refused with 400 before the protocol is switched",
        "websocket upgrade, EIO missing": "refused with 400 before the protocol is switched",
        "websocket upgrade, EIO 3 not allowed": "refused with 400 before the protocol is switched",
        "upgrade, poll pending when the upgrade packet arrives": "a poll gets a noop after 100 ms: a race",
        "websocket upgrade, websocket disabled": "refused in the form that all refused upgrades have",
    ]

    /// Answers of the reference that no client understands, and ours in their place.
    static let corrected = [
        #"___eio[0]({"type":"Buffer","data":[1,5,255,4,1,2,3,4]});"#: #"___eio[0]("10:b4AQIDBA==");"#
    ]

    /// How many times the times of the file last here, so that a busy machine keeps them.
    static let slowness = 20

    static func exchanges(timed: Bool) throws -> [VectorFile.Exchange] {
        try self.exchanges(of: VectorFile.load().v4, timed: timed)
    }

    static func exchanges(of list: [VectorFile.Exchange], timed: Bool) -> [VectorFile.Exchange] {
        list.filter { exchange in
            let options = exchange.options
            return Self.differences[exchange.name] == nil
                && timed == (options.upgradeTimeout != nil || options.pingInterval == 150)
        }
    }

    static func replay(_ exchange: VectorFile.Exchange) async throws {
        try await withServer {
            Self.apply(exchange.options, name: exchange.name, to: &$0)
        } _: { server in
            try await VectorReplay(exchange, server).run()
        }
    }

    @Test(arguments: try Self.exchanges(timed: false))
    func referenceExchange(exchange: VectorFile.Exchange) async throws {
        try await Self.replay(exchange)
    }

    @Test(arguments: try Self.exchanges(of: VectorFile.load().v3, timed: false))
    func referenceExchangeOfVersion3(exchange: VectorFile.Exchange) async throws {
        try await Self.replay(exchange)
    }

    @Test func differencesAreOfTheFile() throws {
        let names = Set(try VectorFile.load().v4.map(\.name))
        #expect(Self.differences.keys.allSatisfy(names.contains))
    }

    @Test(arguments: [
        ("transport=websocket", "Unsupported protocol version"),
        ("EIO=3&transport=websocket", "Unsupported protocol version"),
        ("EIO=4&transport=polling", "Bad request"),
    ])
    func upgradeRefusedBeforeTheSwitch(query: String, body: String) async throws {
        try await withServer { server in
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket(query) }
            #expect(refused.status == 400)
            #expect(refused.reply.text == body)
            #expect(refused.reply.headers["connection"] == "close")
            #expect(server.log.value.sessions.isEmpty)
        }
    }

    @Test func upgradeToADisabledTransport() async throws {
        try await withServer {
            $0.transports = [.polling]
        } _: { server in
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket() }
            #expect(refused.status == 400)
            #expect(refused.reply.text == "Transport unknown")
        }
    }

    private static func apply(
        _ options: VectorFile.Options, name: String, to configuration: inout EngineIOConfiguration
    ) {
        configuration.fallback = { _ in EngineIOResponse(status: .notFound, body: ByteBuffer(string: "not engine.io")) }
        if let names = options.transports {
            configuration.transports = Set(names.compactMap(EngineIOTransport.init(rawValue:)))
        }
        if let value = options.allowUpgrades { configuration.allowUpgrades = value }
        if let value = options.pingInterval { configuration.pingInterval = .milliseconds(value * Self.slowness) }
        if let value = options.pingTimeout { configuration.pingTimeout = .milliseconds(value * Self.slowness) }
        if let value = options.upgradeTimeout { configuration.upgradeTimeout = .milliseconds(value * Self.slowness) }
        if let value = options.maxHttpBufferSize { configuration.maxPayload = value }
        configuration.allowEIO3 = options.allowEIO3 ?? false
        configuration.allowJSONP = name.contains("JSONP")
        if let value = options.addTrailingSlash { configuration.addTrailingSlash = value }
        configuration.initialPacket = options.initialPacket
        if let given = options.cookie {
            var cookie = EngineIOCookie(name: given.name ?? "io")
            cookie.path = given.path ?? cookie.path
            cookie.httpOnly = given.httpOnly ?? cookie.httpOnly
            if given.sameSite == "strict" { cookie.sameSite = .strict }
            cookie.maxAge = given.maxAge.map { .seconds($0) }
            configuration.cookie = cookie
        }
        if let given = options.cors {
            var cors = EngineIOCORS(origin: given.origins == ["*"] ? .any : .list(given.origins))
            cors.credentials = given.credentials ?? false
            if let methods = given.methods { cors.methods = methods }
            cors.allowedHeaders = given.allowedHeaders
            configuration.cors = cors
        }
        if options.allowRequest != nil {
            let reason: String? =
                name.contains("without a message") ? nil : name.hasPrefix("websocket") ? "no" : "go away"
            configuration.allowRequest = { _ in .refuse(reason: reason) }
        }
    }
}

struct TimedVectorTests {
    @Test(arguments: try VectorTests.exchanges(timed: true))
    func referenceExchange(exchange: VectorFile.Exchange) async throws {
        try await VectorTests.replay(exchange)
    }

    @Test(arguments: VectorTests.exchanges(of: try VectorFile.load().v3, timed: true))
    func referenceExchangeOfVersion3(exchange: VectorFile.Exchange) async throws {
        try await VectorTests.replay(exchange)
    }
}
