import NIOCore
import TestSupport
import Testing

@testable import EngineIO

/// What a client sends is held to a rate, over both transports, and others notice nothing.
struct MessageRateTests {
    /// Five at once, and no more in a test's time.
    private static func five(_ policy: RateLimit.Policy) -> RateLimit {
        RateLimit(1, per: .seconds(3600), burst: 5, policy: policy)
    }

    private final class Reports: Sendable {
        let all = Awaited<[EngineIOLimitReport]>([]) { "\($0.map(\.action))" }

        func set(_ configuration: inout EngineIOConfiguration) {
            configuration.onLimit = { report in self.all.update { $0.append(report) } }
        }

        func wait(_ count: Int) async throws -> [EngineIOLimitReport] {
            try await self.all.wait("\(count) reports") { $0.count >= count ? $0 : nil }
        }
    }

    /// Somebody else is served.
    private func expectUnharmed(_ server: TestServer) async throws {
        for transport in [EIOOptions.Transport.polling, .websocket] {
            let other = try await server.client(transport)
            for index in 0..<5 {
                try other.send("\(index)")
                #expect(try await other.nextText() == "\(index)")
            }
            await other.close()
        }
    }

    // MARK: Drop

    @Test(arguments: [EIOOptions.Transport.polling, .websocket])
    func whatIsOverTheRateIsDropped(_ transport: EIOOptions.Transport) async throws {
        let reports = Reports()
        try await withServer {
            $0.messageRate = Self.five(.drop)
            $0.pingInterval = .milliseconds(100)
            reports.set(&$0)
        } _: { server in
            let client = try await server.client(transport)
            for index in 0..<9 { try client.send("\(index)") }
            for index in 0..<5 { #expect(try await client.nextText() == "\(index)") }
            let seen = try await reports.wait(4)
            #expect(seen.allSatisfy { $0.limit == .messageRate && $0.action == .dropped && $0.count == 1 })
            // Its pings are answered, and it gets what is sent to it.
            try await client.waitForCounts("pings") { $0.pongs >= 3 }
            try server.known(client.sid).send(text: "still here")
            #expect(try await client.nextText() == "still here")
            #expect(server.log.value.messages.count == 5)
            #expect(reports.all.value.count == 4)
            try await self.expectUnharmed(server)
        }
    }

    // MARK: Disconnect

    @Test func aWebSocketIsClosedWithACode() async throws {
        let reports = Reports()
        try await withServer {
            $0.messageRate = Self.five(.disconnect)
            reports.set(&$0)
        } _: { server in
            let webSocket = try await server.openWebSocket()
            webSocket.connection.enqueue(
                (0..<9).flatMap { RawFrame(opcode: 1, payload: Array("4\($0)".utf8)).encoded() })
            #expect(try await webSocket.expectClose(skipping: true) == 1008)
            #expect(try await server.onlyEnd() == "transport error")
            #expect(server.log.value.messages.count == 5)
            #expect(reports.all.value.map(\.action) == [.disconnected])
            try await self.expectUnharmed(server)
        }
    }

    @Test func aPollingClientIsClosed() async throws {
        let reports = Reports()
        try await withServer(
            {
                $0.messageRate = Self.five(.disconnect)
                reports.set(&$0)
            },
            onMessage: { session, message in
                if message != .text("flood") { TestServer.echo(session, message) }
            }
        ) { server in
            let sid = try await server.openPolling().sid
            let get = try await server.waitingGet(sid)
            let body = (0..<9).map { _ in "4flood" }.joined(separator: "\u{1E}")
            #expect(try await server.post(sid, body).status == 200)
            #expect(try await get.reply().text == "1")
            #expect(try await server.end(sid) == "transport error")
            #expect(server.log.value.messages.count == 5)
            #expect(reports.all.value.map(\.action) == [.disconnected])
            try await self.expectUnharmed(server)
        }
    }

    @Test func bytesCount() async throws {
        let reports = Reports()
        try await withServer {
            $0.byteRate = RateLimit(1, per: .seconds(3600), burst: 10_000, policy: .disconnect)
            reports.set(&$0)
        } _: { server in
            let client = try await server.client(.websocket)
            for size in [4000, 0, 6000] {
                try client.send([UInt8](repeating: 1, count: size))
                #expect(try await client.nextBinary().count == size)
            }
            try client.send("1")
            try await client.waitForClose()
            #expect(reports.all.value.map(\.limit) == [.byteRate])
            // A larger message alone passes once.
            let other = try await server.client(.websocket)
            try other.send([UInt8](repeating: 1, count: 20_000))
            #expect(try await other.nextBinary().count == 20_000)
            try other.send("1")
            try await other.waitForClose()
        }
    }

    // MARK: Wait

    @Test(arguments: [EIOOptions.Transport.polling, .websocket])
    func everythingArrivesInOrder(_ transport: EIOOptions.Transport) async throws {
        let reports = Reports()
        try await withServer {
            $0.messageRate = RateLimit(500, burst: 3, policy: .wait)
            reports.set(&$0)
        } _: { server in
            let client = try await server.client(transport)
            for index in 0..<100 {
                try client.send("\(index)")
                if index % 10 == 0 { try client.send([UInt8(index)]) }
            }
            for index in 0..<100 {
                #expect(try await client.nextText() == "\(index)")
                if index % 10 == 0 { #expect(try await client.nextBinary() == [UInt8(index)]) }
            }
            #expect(reports.all.value.allSatisfy { $0.action == .delayed && $0.limit == .messageRate })
            #expect(!reports.all.value.isEmpty)
            await client.close()
            #expect(try await server.end(client.sid) == "transport close")
        }
    }

    /// It would come to more than the server keeps if it went on reading.
    @Test func aConnectionIsNotReadMeanwhile() async throws {
        let reports = Reports()
        try await withServer {
            $0.eventLoopCount = 1
            $0.messageRate = Self.five(.wait)
            $0.maxInboundQueueBytes = 1 << 20
            reports.set(&$0)
        } _: { server in
            let webSocket = try await server.openWebSocket()
            let session = try #require(server.log.value.sessions.first)
            let frame = RawFrame(opcode: 2, payload: [UInt8](repeating: 7, count: 10_000)).encoded()
            for _ in 0..<3000 { webSocket.connection.enqueue(frame) }
            #expect(try await reports.wait(1).map(\.action) == [.delayed])
            // The loop has many turns in which it could read.
            for _ in 0..<10 { try await self.expectUnharmed(server) }
            #expect(session.isOpen)
            #expect(server.log.value.messages.count(where: { $0.id == session.id }) == 5)
            // What waits when its client is gone is thrown away, and told.
            await webSocket.connection.reset()
            _ = try await server.end(session.id)
            let last = try #require(try await reports.wait(2).last)
            #expect(last.action == .dropped)
            #expect(last.count > 0)
        }
    }

    /// Its answers to pings are not read, and it is not blamed for that; it is pinged on.
    @Test func aConnectionThatIsNotReadIsNotTimedOut() async throws {
        try await withGrowingLimit("a client to be too fast before it is timed out", from: .milliseconds(200)) {
            timeout -> Bool? in
            var isHeld = false
            try await withServer {
                $0.messageRate = Self.five(.wait)
                $0.pingInterval = .milliseconds(50)
                $0.pingTimeout = timeout
            } _: { server in
                var options = server.options(.websocket)
                options.watchesHeartbeat = false
                let client = try await EIOClient.open(options)
                let session = try server.known(client.sid)
                for index in 0..<9 { try? client.send("\(index)") }
                try await eventually("the sixth to wait") {
                    isHeld = session.state.withLock { $0.isHeld }
                    return isHeld || !session.isOpen
                }
                guard isHeld else { return }
                // More of them than it would get if it were believed to answer none.
                try await client.waitForCounts("pings") { $0.pings >= 5 }
                // Or else this task has slept until it was excused no more.
                isHeld = session.isOpen
                session.close()
                try await client.waitForClose()
            }
            return isHeld ? true : nil
        }
    }

    /// What waits would wait for hours; its client may be gone, and is taken for that in the end.
    @Test func aConnectionThatIsNotReadForLongIsTimedOut() async throws {
        try await withGrowingLimit("a client to be too fast before it is timed out", from: .milliseconds(50)) {
            timeout -> Bool? in
            let reports = Reports()
            var isHeld = false
            try await withServer {
                $0.messageRate = Self.five(.wait)
                $0.pingInterval = .milliseconds(20)
                $0.pingTimeout = timeout
                reports.set(&$0)
            } _: { server in
                let webSocket = try await server.openWebSocket()
                webSocket.connection.enqueue(
                    (0..<9).flatMap { RawFrame(opcode: 1, payload: Array("4\($0)".utf8)).encoded() })
                #expect(try await server.onlyEnd() == "ping timeout")
                await webSocket.connection.reset()
                guard !reports.all.value.isEmpty else { return }
                isHeld = true
                #expect(server.log.value.messages.count == 5)
                #expect(try await reports.wait(2).map(\.action) == [.delayed, .dropped])
            }
            return isHeld ? true : nil
        }
    }

    /// A POST is answered when its packets are handled, or the session has ended.
    @Test func aPostIsAnsweredLater() async throws {
        try await withServer(
            {
                $0.eventLoopCount = 1
                $0.messageRate = Self.five(.wait)
                $0.requestTimeout = .milliseconds(200)
            }, onMessage: { _, _ in }
        ) { server in
            let sid = try await server.openPolling().sid
            let body = (0..<9).map { "4\($0)" }.joined(separator: "\u{1E}")
            let post = try await server.http.start("POST", TestServer.path(sid), body: .text(body))
            _ = try await server.messages(5)
            // Another request, which came later, is timed out: this one's time is the session's.
            let other = try await server.openPolling().sid
            let slow = try await server.http.start("POST", TestServer.path(other), body: .declared(length: 10))
            try await slow.connection.waitForClose()
            #expect(post.connection.unread.isEmpty)
            try server.known(sid).close()
            #expect(try await server.get(sid).text == "6\u{1E}1")
            #expect(try await post.reply().status == 200)
            #expect(server.log.value.messages.count == 5)
        }
    }

    /// A WebSocket that only probes is no matter of the rate: it is read although its session waits, and when it ends.
    @Test func aProbeDoesNotWait() async throws {
        try await withServer({ $0.messageRate = Self.five(.wait) }, onMessage: { _, _ in }) { server in
            let sid = try await server.openPolling().sid
            let body = (0..<9).map { "4\($0)" }.joined(separator: "\u{1E}")
            let post = try await server.http.start("POST", TestServer.path(sid), body: .text(body))
            let session = try server.known(sid)
            try await eventually("the sixth to wait") { session.state.withLock { $0.isHeld } }
            for _ in 0..<2 {
                let webSocket = try await server.probe(sid)
                try await webSocket.send("2probe")
                try await webSocket.expectText("3probe")
                try await webSocket.close()
                try await eventually("the end of the upgrade") { !session.isProbing }
            }
            // One that takes over is read no further than the POST.
            let webSocket = try await server.probe(sid)
            try await webSocket.send("2probe")
            try await webSocket.expectText("3probe")
            try await webSocket.send("5")
            try await eventually("the upgrade") { session.transport == .websocket }
            try await webSocket.send("4x")
            session.send(text: "hello")
            try await webSocket.expectText("4hello")
            #expect(server.log.value.messages.count == 5)
            #expect(post.connection.unread.isEmpty)
            session.close()
            try await webSocket.expectClose()
            #expect(try await post.reply().status == 200)
            #expect(server.log.value.messages.count == 5)
        }
    }

    /// The end that a client asks for has its place behind what it has sent.
    @Test func theEndWaitsToo() async throws {
        try await withServer(
            { $0.messageRate = RateLimit(100, burst: 2, policy: .wait) }, onMessage: { _, _ in }
        ) { server in
            let sid = try await server.openPolling().sid
            let body = (0..<20).map { "4\($0)" }.joined(separator: "\u{1E}") + "\u{1E}1"
            #expect(try await server.post(sid, body).status == 200)
            #expect(try await server.end(sid) == "transport close")
            #expect(server.log.value.messages.count == 20)
            let webSocket = try await server.openWebSocket()
            let frames = (0..<20).map { RawFrame(opcode: 1, payload: Array("4\($0)".utf8)) }
            webSocket.connection.enqueue((frames + [RawFrame(opcode: 8, payload: [])]).flatMap { $0.encoded() })
            try await webSocket.expectClose(answer: false)
            try await webSocket.connection.waitForClose()
            try await eventually("the end of the session") { server.log.value.ends.count == 2 }
            #expect(server.log.value.ends.last?.reason == "transport close")
            #expect(server.log.value.messages.count == 40)
        }
    }

    @Test func closingTheServerDoesNotWait() async throws {
        try await withServer {
            $0.messageRate = Self.five(.wait)
        } _: { server in
            let client = try await server.client(.websocket)
            for index in 0..<9 { try client.send("\(index)") }
            for index in 0..<5 { #expect(try await client.nextText() == "\(index)") }
            let polling = try await server.client()
            for index in 0..<9 { try polling.send("\(index)") }
            for index in 0..<5 { #expect(try await polling.nextText() == "\(index)") }
            await server.server.close(timeout: .seconds(60))
            #expect(try await client.waitForClose().reason == "transport close")
            try await polling.waitForClose()
            #expect(server.server.sessionCount == 0)
        }
    }

    @Test(arguments: [RateLimit(0), RateLimit(1, per: .zero), RateLimit(1, burst: 0), RateLimit(-1)])
    func impossibleRates(_ rate: RateLimit) {
        for path in [\EngineIOConfiguration.messageRate, \.byteRate] {
            var configuration = EngineIOConfiguration()
            configuration[keyPath: path] = rate
            #expect(throws: EngineIOConfigurationError.self) { try configuration.validated() }
        }
    }
}
