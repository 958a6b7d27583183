import EngineIOCore
import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// An address has so many sessions and no more, however they end.
struct AddressLimitTests {
    private func from<Result>(_ address: String, _ body: () async throws -> Result) async rethrows -> Result {
        try await RawConnection.$localAddress.withValue(address, operation: body)
    }

    @Test func addressesHaveTheirOwnCounts() async throws {
        let reports = Awaited<[EngineIOLimitReport]>([])
        try await withServer {
            $0.maxSessionsPerAddress = 2
            $0.retryAfter = .seconds(7)
            $0.onLimit = { report in reports.update { $0.append(report) } }
        } _: { server in
            let first = try await server.openPolling().sid
            let webSocket = try await server.openWebSocket()
            let reply = try await server.http.request("GET", TestServer.path())
            #expect(reply.status == 429)
            #expect(reply.headers["retry-after"] == "7")
            #expect(reply.text == #"{"code":4,"message":"Too many connections"}"#)
            let refused = try await #require(throws: WSRefused.self) { try await server.webSocket() }
            #expect(refused.status == 429)
            #expect(refused.reply.headers["retry-after"] == "7")
            #expect(refused.reply.text == "Too many connections")
            // Why, for the application.
            let refusals = server.log.value.refusals
            #expect(refusals.map(\.limit) == [.maxSessionsPerAddress, .maxSessionsPerAddress])
            #expect(refusals.map(\.code) == [4, 4])
            #expect(refusals.first?.context["limit"] == "maxSessionsPerAddress")
            #expect(reports.value.map(\.limit) == [.maxSessionsPerAddress, .maxSessionsPerAddress])
            #expect(reports.value.map(\.action) == [.refused, .refused])
            #expect(reports.value.map(\.address) == ["127.0.0.1", "127.0.0.1"])
            // Others come in, up to their own limit.
            try await self.from("127.0.0.2") {
                let other = try await server.client(.websocket)
                _ = try await server.openPolling()
                #expect(try await server.http.request("GET", TestServer.path()).status == 429)
                try other.send("hello")
                #expect(try await other.nextText() == "hello")
                #expect(server.server.addressCount == 2)
                await other.close()
            }
            // Those that are there go on, and one that leaves makes room.
            try await webSocket.send("4on")
            try await webSocket.expectText("4on")
            #expect(try await server.post(first, "1").text == "ok")
            _ = try await server.end(first)
            _ = try await server.openPolling()
            #expect(try await server.http.request("GET", TestServer.path()).status == 429)
        }
    }

    @Test func offByDefault() async throws {
        try await withServer { server in
            for _ in 0..<20 { _ = try await server.openPolling() }
            #expect(server.server.addressCount == 0)
        }
    }

    @Test func theTotalComesFirst() async throws {
        try await withServer {
            $0.maxSessions = 1
            $0.maxSessionsPerAddress = 1
        } _: { server in
            _ = try await server.openPolling()
            let reply = try await self.from("127.0.0.2") { try await server.http.request("GET", TestServer.path()) }
            #expect(reply.status == 503)
            #expect(reply.headers["retry-after"] == "10")
            #expect(server.log.value.refusals.map(\.limit) == [.maxSessions])
        }
    }

    /// Who can't get in costs the application nothing.
    @Test func theApplicationIsNotAsked() async throws {
        let asked = Awaited(0)
        try await withServer {
            $0.maxSessionsPerAddress = 1
            $0.allowRequest = { _ in
                asked.update { $0 += 1 }
                return .allow
            }
        } _: { server in
            _ = try await server.openPolling()
            #expect(try await server.http.request("GET", TestServer.path()).status == 429)
            #expect(asked.value == 1)
        }
    }

    /// Handshakes that wait for the application at the same time do not get past the limit together.
    @Test func theLimitIsExact() async throws {
        let open = Awaited(0)
        try await withServer {
            $0.eventLoopCount = 4
            $0.maxSessionsPerAddress = 5
            $0.allowRequest = { _ in
                open.update { $0 += 1 }
                _ = try? await open.wait("all to have asked") { $0 >= 40 ? true : nil }
                return .allow
            }
        } _: { server in
            let kept = Awaited<[WSClient]>([])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        if index % 2 == 0 { return try await server.http.request("GET", TestServer.path()).status }
                        do {
                            let webSocket = try await server.webSocket()
                            kept.update { $0.append(webSocket) }
                            return 200
                        } catch let refused as WSRefused { return refused.status }
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [200: 5, 429: 35])
            #expect(server.server.sessionCount == 5)
            kept.update { $0 = [] }
        }
    }

    // MARK: Behind proxies

    @Test func clientsOfATrustedProxyCountByThemselves() async throws {
        try await withServer {
            $0.maxSessionsPerAddress = 1
            $0.trustedProxies = ["127.0.0.1"]
        } _: { server in
            func status(_ address: String) async throws -> Int {
                try await server.http.request(
                    "GET", TestServer.path(), headers: [("X-Forwarded-For", address)]
                ).status
            }
            #expect(try await status("192.0.2.1") == 200)
            #expect(try await status("192.0.2.1") == 429)
            #expect(try await status("192.0.2.2") == 200)
            #expect(try await status("2001:db8:0:1::1") == 200)
            #expect(try await status("2001:db8:0:1:ffff::2") == 429)
            #expect(try await status("2001:db8:0:2::1") == 200)
            // What the client itself has put in front does not count.
            #expect(try await status("203.0.113.9, 192.0.2.1") == 429)
            #expect(server.server.addressCount == 4)
            // Of others it is not believed.
            try await self.from("127.0.0.2") { () async throws -> Void in
                #expect(try await status("192.0.2.3") == 200)
                #expect(try await status("192.0.2.4") == 429)
            }
        }
    }

    // MARK: Connections

    @Test func connectionsAreCountedToo() async throws {
        let reports = Awaited<[EngineIOLimitReport]>([])
        try await withServer {
            $0.maxConnectionsPerAddress = 2
            $0.trustedProxies = ["127.0.0.3"]
            $0.onLimit = { report in reports.update { $0.append(report) } }
        } _: { server in
            // One says nothing, one is a WebSocket.
            let silent = try await RawConnection.connect(port: server.port)
            let webSocket = try await server.openWebSocket()
            let third = try await RawConnection.connect(port: server.port)
            #expect(try await third.readUntilClose().isEmpty)
            let seen = try await reports.wait("a report") { $0.isEmpty ? nil : $0 }
            #expect(seen.map(\.limit) == [.maxConnectionsPerAddress])
            #expect(seen.map(\.address) == ["127.0.0.1"])
            #expect(seen.map(\.action) == [.refused])
            try await self.from("127.0.0.2") { () async throws -> Void in
                #expect(try await server.http.request("GET", TestServer.path()).status == 200)
            }
            try await self.from("127.0.0.3") { () async throws -> Void in
                var proxied: [HTTPClient1] = []
                for _ in 0..<5 { proxied.append(server.http) }
                for http in proxied { #expect(try await http.request("GET", TestServer.path()).status == 200) }
            }
            // Those that are there go on, and one that leaves makes room.
            try await webSocket.send("4on")
            try await webSocket.expectText("4on")
            await silent.close()
            try await eventually("room") {
                (try? await server.http.request("GET", TestServer.path()).status) == 200
            }
            await webSocket.connection.reset()
            try await eventually("all to have ended") { server.server.peers.withLock { $0.entryCount } == 0 }
        }
    }

    // MARK: The end

    enum End: String, CaseIterable {
        case notPolled, noPong, closedByPolling, closedByWebSocket, reset, closedByServer, resetWhilePolling
        case conflict, badFrame, afterUpgrade
    }

    @Test(arguments: End.allCases) func anEndMakesRoom(_ end: End) async throws {
        try await withServer {
            $0.maxSessionsPerAddress = 1
            if end == .notPolled || end == .noPong {
                $0.pingInterval = .milliseconds(50)
                $0.pingTimeout = .milliseconds(50)
            }
        } _: { server in
            switch end {
            case .notPolled: _ = try await server.openPolling()
            case .noPong: _ = try await server.openWebSocket()
            case .closedByPolling:
                let sid = try await server.openPolling().sid
                _ = try await server.post(sid, "1")
            case .closedByWebSocket: try await server.openWebSocket().close()
            case .reset: try await server.openWebSocket().connection.reset()
            case .closedByServer:
                let client = try await server.client(.websocket)
                try server.known(client.sid).close()
                try await client.waitForClose()
            case .resetWhilePolling:
                let sid = try await server.openPolling().sid
                try await server.waitingGet(sid).abort(withReset: true)
            case .conflict:
                let sid = try await server.openPolling().sid
                let get = try await server.waitingGet(sid)
                #expect(try await server.get(sid).status == 400)
                _ = try await get.reply()
            case .badFrame:
                let webSocket = try await server.openWebSocket()
                try await webSocket.send(RawFrame(opcode: 3, payload: []))
                try await webSocket.expectClose()
            case .afterUpgrade:
                let client = try await server.client()
                try await client.upgrade()
                #expect(server.server.addressCount == 1)
                await client.close()
            }
            _ = try await server.onlyEnd()
            #expect(server.server.addressCount == 0)
            _ = try await server.openPolling()
            #expect(server.server.addressCount == 1)
        }
    }

    /// The session that does not change its transport keeps its place, once.
    @Test func aFailedUpgradeChangesNothing() async throws {
        try await withServer {
            $0.maxSessionsPerAddress = 1
        } _: { server in
            let client = try await server.client()
            for _ in 0..<3 {
                let probe = try await server.probe(client.sid)
                try await probe.send("2probe")
                try await probe.expectText("3probe")
                await probe.connection.reset()
                try await eventually("the end of the upgrade") { server.session(client.sid)?.isProbing == false }
            }
            #expect(server.server.addressCount == 1)
            #expect(try await server.http.request("GET", TestServer.path()).status == 429)
            await client.close()
            _ = try await server.end(client.sid)
            #expect(server.server.addressCount == 0)
        }
    }

    enum Failure: CaseIterable { case notAllowed, throwingID, takenID, version, badHeader, noWebSocketKey }

    /// A handshake that comes to nothing takes no place.
    @Test(arguments: Failure.allCases) func failedHandshakes(_ failure: Failure) async throws {
        try await withServer {
            $0.maxSessionsPerAddress = 2
            switch failure {
            case .notAllowed: $0.allowRequest = { $0.query["let"] == "in" ? .allow : .refuse() }
            case .throwingID:
                $0.generateID = { request in
                    guard request.query["let"] == "in" else { throw PeerError("no id") }
                    return SessionID.random()
                }
            case .takenID: $0.generateID = { $0.query["let"] == "in" ? SessionID.random() : "taken" }
            case .badHeader:
                $0.initialHeaders = { headers, request in
                    if request.query["let"] != "in" { headers.add(name: "x", value: "a\r\nb") }
                }
            case .version, .noWebSocketKey: break
            }
        } _: { server in
            if failure == .takenID { _ = try await server.openPolling() }
            for _ in 0..<3 {
                switch failure {
                case .notAllowed, .throwingID, .takenID:
                    let status = try await server.http.request("GET", TestServer.path()).status
                    #expect(status == 400 || status == 403)
                    await #expect(throws: WSRefused.self) { try await server.webSocket() }
                case .version:
                    let reply = try await server.http.request("GET", "/engine.io/?EIO=3&transport=polling")
                    #expect(reply.status == 400)
                case .badHeader: await #expect(throws: WSRefused.self) { try await server.webSocket() }
                case .noWebSocketKey:
                    await #expect(throws: WSRefused.self) {
                        try await server.webSocket(headers: [("Sec-WebSocket-Key", "short")])
                    }
                }
            }
            #expect(server.server.addressCount == (failure == .takenID ? 1 : 0))
            #expect(try await server.http.request("GET", TestServer.path(nil, "&let=in")).status == 200)
        }
    }
}
