import EngineIOCore
import NIOCore
import TestSupport
import Testing

@testable import EngineIOClient

/// The upgrade step by step, against a server that a test plays.
struct UpgradeTests {
    /// A client with an open polling session, its waiting GET, and the connection of its probe.
    private static func probing(
        _ server: ScriptedServer, _ configure: (inout EngineClientConfiguration) -> Void = { _ in }
    ) async throws -> (client: TestClient, poll: ScriptedConnection, probe: ScriptedConnection) {
        let client = try TestClient(url: server.url, configure)
        client.open()
        let poll = try await server.accept()
        try await poll.openPolling(handshake())
        try await client.opened()
        let get = try await poll.request()
        #expect(get.query.sid == "abc")
        let probe = try await server.accept()
        return (client, poll, probe)
    }

    /// Answers the probe, and waits until the client knows: what comes over the other connection may overtake it.
    private static func answerProbe(_ probe: ScriptedConnection, _ client: TestClient) async throws {
        try await probe.sendFrame("3probe")
        try await eventually("the client to pause") { try await client.run { $0.state.upgrade == .pausing } }
    }

    @Test func steps() async throws {
        try await withScript { server in
            let (client, poll, probe) = try await Self.probing(server)
            let request = try await probe.acceptWebSocket()
            #expect(request.target == "/engine.io/?EIO=4&transport=websocket&sid=abc")
            let ping = try await probe.frame()
            #expect(ping == ScriptedFrame(opcode: 1, payload: Array("2probe".utf8), isMasked: true))
            // Polling goes on.
            try await client.send("one")
            let post = try await server.accept()
            #expect(try await post.request().body == "4one")
            try await Self.answerProbe(probe, client)
            // From here on nothing new is sent until both requests are back.
            try await client.send("two")
            try await poll.answer("200 OK", "4down\u{1E}6")
            #expect(try await client.messages(1) == [.text("down")])
            #expect(client.log.value.count(of: .upgraded) == 0)
            try await post.answer("200 OK", "ok")
            #expect(try await probe.frame().text == "5")
            #expect(try await probe.frame().text == "4two")
            try await client.wait(for: .upgraded)
            try await probe.sendFrame("4up")
            #expect(try await client.messages(2) == [.text("down"), .text("up")])
            // The connections of polling are given up.
            try await poll.closed()
            try await post.closed()
            _ = try await client.cut()
            #expect(client.violations.isEmpty)
        }
    }

    enum Failure: CaseIterable, Sendable {
        case refused, wrongAccept, closed, wrongAnswer, binaryAnswer, secondAnswer, closeFrame, badFrame,
            closedWhilePausing
        case timeout, timeoutWhilePausing, neverAnswered
    }

    @Test(arguments: Failure.allCases) func failureLeavesPolling(failure: Failure) async throws {
        try await withScript { server in
            let isTimed = [.timeout, .timeoutWhilePausing, .neverAnswered].contains(failure)
            let (client, poll, probe) = try await Self.probing(server) {
                // It must not end before it has come to where the test wants it.
                if isTimed { $0.upgradeTimeout = failure == .neverAnswered ? .seconds(1) : .seconds(5) }
            }
            if failure == .refused {
                _ = try await probe.request()
                try await probe.answer("400 Bad Request", "Bad request")
            } else if failure == .wrongAccept {
                let request = try await probe.request()
                try await probe.send(ScriptedConnection.switching(request, accept: "nonsense"))
            } else if failure == .neverAnswered {
                _ = try await probe.request()
            } else {
                try await probe.acceptWebSocket()
                #expect(try await probe.frame().text == "2probe")
                switch failure {
                case .closed: probe.close()
                case .wrongAnswer: try await probe.sendFrame("3")
                case .binaryAnswer: try await probe.send(ScriptedConnection.frame(2, [1]))
                case .secondAnswer:
                    try await probe.send(ScriptedConnection.frame("3probe") + ScriptedConnection.frame("4early"))
                case .closeFrame: try await probe.send(ScriptedConnection.frame(8, []))
                case .badFrame: try await probe.send([0xFF, 0xFF])
                case .closedWhilePausing, .timeoutWhilePausing:
                    try await Self.answerProbe(probe, client)
                    if failure == .closedWhilePausing { probe.close() }
                default: break
                }
            }
            try await probe.closed()
            // Everything goes on over polling.
            try await client.send("one")
            let post = try await server.accept()
            let first = try await post.request()
            #expect(first.body == "4one")
            try await post.answer("200 OK", "ok")
            try await poll.answer("200 OK", "4two")
            #expect(try await client.messages(1) == [.text("two")])
            #expect(try await poll.request().query.transport == "polling")
            #expect(try await client.run { $0.transport } == .polling)
            #expect(try await client.run { $0.didUpgrade } == false)
            #expect(client.log.value.count(of: .upgraded) == 0)
            try await client.cut()
        }
    }

    /// The polling session breaks while it is being left.
    @Test func pollingFailsWhilePausing() async throws {
        try await withScript { server in
            let (client, poll, probe) = try await Self.probing(server)
            try await probe.acceptWebSocket()
            _ = try await probe.frame()
            try await Self.answerProbe(probe, client)
            poll.close()
            let end = try await client.end()
            #expect(end.reason == "transport error")
            #expect(end.error?.code == .connectionLost)
            try await probe.closed()
        }
    }

    @Test func closePacketWhilePausing() async throws {
        try await withScript { server in
            let (client, poll, probe) = try await Self.probing(server)
            try await probe.acceptWebSocket()
            _ = try await probe.frame()
            try await Self.answerProbe(probe, client)
            try await poll.answer("200 OK", "4last\u{1E}1\u{1E}4never")
            let end = try await client.end()
            #expect(end.reason == "transport close")
            #expect(end.error == nil)
            #expect(client.log.value.messages == [.text("last")])
            try await probe.closed()
        }
    }

    /// The client closes while it is pausing: what waits goes over polling, with the close packet behind it.
    @Test func closeWhilePausing() async throws {
        try await withScript { server in
            let (client, _, probe) = try await Self.probing(server)
            try await probe.acceptWebSocket()
            _ = try await probe.frame()
            try await client.send("one")
            let post = try await server.accept()
            #expect(try await post.request().body == "4one")
            try await Self.answerProbe(probe, client)
            try await client.send("two")
            try await client.run { $0.close() }
            try await probe.closed()
            try await post.answer("200 OK", "ok")
            #expect(try await post.request().body == "4two\u{1E}1")
            try await post.answer("200 OK", "ok")
            #expect(try await client.end().reason == "forced close")
        }
    }

    /// After the upgrade packet the WebSocket is the session.
    @Test func lostAfterTheSwitch() async throws {
        try await withScript { server in
            let (client, poll, probe) = try await Self.probing(server)
            try await probe.acceptWebSocket()
            _ = try await probe.frame()
            try await Self.answerProbe(probe, client)
            try await poll.answer("200 OK", "6")
            #expect(try await probe.frame().text == "5")
            probe.close()
            let end = try await client.end()
            #expect(end.reason == "transport close")
            #expect(end.error?.code == .connectionLost)
        }
    }

    @Test(arguments: [false, true]) func notWanted(byConfiguration: Bool) async throws {
        try await withScript { server in
            let client = try TestClient(url: server.url) {
                if byConfiguration { $0.upgrade = false } else { $0.transports = [.polling] }
            }
            client.open()
            let poll = try await server.accept()
            try await poll.openPolling(handshake())
            _ = try await poll.request()
            try await client.send("one")
            let post = try await server.accept()
            #expect(try await post.request().method == "POST")
            #expect(server.waiting == 0)
            try await client.cut()
        }
    }
}
