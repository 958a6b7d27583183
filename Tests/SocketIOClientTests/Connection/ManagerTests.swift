import EngineIOClient
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// A client over transports that the tests play.
struct ManagerTests {
    private let network = FakeNetwork()
    private let record = Recorder()

    // MARK: Connecting

    @Test func connectReturnsWhenTheNamespaceIsJoined() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/", auth: ["token": "abc"], configuration)
        #expect(client.state == .disconnected)
        #expect(!client.active)
        async let connected: Void = client.connect()
        let engine = try await self.network.next()
        engine.handshake()
        #expect(try await engine.next() == #"0{"token":"abc"}"#)
        #expect(client.state == .connecting)
        #expect(client.active)
        engine.receive(#"0{"sid":"id"}"#)
        try await connected
        #expect(client.connected)
        #expect(client.id == "id")
        #expect(client.transport == .websocket)
        try await client.connect()
        await client.disconnect()
        #expect(try await engine.next() == "1")
        try await engine.waitFor(call: "close")
        try await eventually { client.state == .disconnected }
        #expect(client.id == nil)
        #expect(!client.active)
        // The connection ends a little after the namespace.
        try await eventually { client.transport == nil }
    }

    @Test func connectThrowsTheRefusal() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/admin", configuration)
        let result = Task { try await client.connect() }
        let engine = try await self.network.next()
        engine.handshake()
        #expect(try await engine.next() == "0/admin,")
        engine.receive(#"4/admin,{"message":"no","data":{"code":1}}"#)
        let error = await #expect(throws: ConnectError.self) { try await result.value }
        #expect(error?.message == "no")
        #expect(error?.data == ["code": 1])
        // Nothing more is tried.
        try await engine.waitFor(call: "close")
        #expect(client.state == .disconnected)
        #expect(self.network.count == 1)
    }

    @Test func connectWaitsForAsManyAttemptsAsItTakes() async throws {
        let client = self.network.client()
        self.record.watch(client)
        let result = Task { try await client.connect() }
        try await self.network.next().end("transport error", EngineClientError(.refused, "nobody"))
        try await self.network.next().end("transport error", EngineClientError(.dnsFailure, "no host"))
        try await self.network.next().join()
        try await result.value
        #expect(
            try await self.record.wait(count: 7) == [
                "connect_error connection refused", "reconnect_attempt 1", "connect_error dns failure",
                "reconnect_error dns failure", "reconnect_attempt 2", "reconnect 2", "connect new",
            ])
    }

    @Test func connectThrowsWhatTheNextAttemptWillNotCure() async throws {
        // The first attempt must not be over before it is waited for.
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        let result = Task { try await client.connect() }
        try await self.network.next().end("transport error", EngineClientError(.notSocketIO, "a web server"))
        #expect(await thrown { try await result.value } == "not a socket.io server")
        // As the reference it goes on all the same: somebody may repair the server.
        try await self.network.next().join()
        try await client.connect()
    }

    @Test func connectEndsWithItsTimeout() async throws {
        let client = self.network.client()
        let engine = try await self.network.next()
        engine.end("transport error", EngineClientError(.refused, "nobody"))
        _ = try await self.network.next()
        let error = await #expect(throws: SocketIOError.self) { try await client.connect(timeout: .milliseconds(5)) }
        #expect(error?.code == .connectTimeout)
        #expect((error?.cause as? EngineClientError)?.code == .refused)
        #expect(client.active)
    }

    @Test func connectEndsWithItsTask() async throws {
        let client = self.network.client()
        _ = try await self.network.next()
        let result = Task { try await client.connect() }
        result.cancel()
        await #expect(throws: CancellationError.self) { try await result.value }
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            try await client.connect()
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(client.active)
        let other = Task { try await client.connect() }
        try await eventually { try await client.pendingCount == 1 }
        await client.disconnect()
        #expect(await thrown { try await other.value } == "disconnected")
        #expect(try await client.pendingCount == 0)
    }

    @Test func givesUpAfterItsAttempts() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.reconnection.maxAttempts = 1
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        self.record.watch(client)
        let result = Task { try await client.connect() }
        let refused = EngineClientError(.refused, "nobody")
        try await self.network.next().end("transport error", refused)
        try await self.network.next().end("transport error", refused)
        #expect(await thrown { try await result.value } == "connection refused")
        try await self.record.wait(for: "reconnect_failed")
        #expect(client.state == .disconnected)
        // It can be told to begin anew.
        client.open()
        try await self.network.next().join()
        try await client.connect()
    }

    @Test func anErrorIsToldOnce() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.reconnection.isEnabled = false
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        self.record.watch(client)
        let first = Task { try await client.connect() }
        try await self.network.next().end("transport error", EngineClientError(.refused, "nobody"))
        #expect(await thrown { try await first.value } == "connection refused")
        #expect(!client.active)
        let second = Task { try await client.connect() }
        try await self.network.next().end("transport error", EngineClientError(.notSocketIO, "a web server"))
        #expect(await thrown { try await second.value } == "not a socket.io server")
        #expect(!client.active)
        client.open()
        let engine = try await self.network.next()
        try await engine.join()
        try await client.connect()
        engine.end()
        #expect(
            try await self.record.wait(count: 4) == [
                "connect_error connection refused", "connect_error not a socket.io server", "connect new",
                "disconnect transport close false",
            ])
        try await eventually { !client.active }
        #expect(self.record.all.count == 4)
    }

    @Test(arguments: [true, false])
    func givingUpWithSeveralNamespaces(isFirst: Bool) async throws {
        var configuration = SocketIOClientConfiguration.quick
        if isFirst {
            configuration.reconnection.maxAttempts = 1
        } else {
            configuration.reconnection.isEnabled = false
        }
        let manager = self.network.manager(configuration)
        let root = self.network.client(on: manager, configuration)
        let admin = self.network.client("/admin", on: manager, configuration)
        let first = try await self.network.next()
        if isFirst {
            first.end("transport error", EngineClientError(.refused, "nobody"))
            try await self.network.next().end("transport error", EngineClientError(.refused, "nobody"))
        } else {
            first.handshake()
            _ = try await first.next(2)
            first.receive(#"0{"sid":"r"}"#, #"0/admin,{"sid":"a"}"#)
            try await admin.connect()
            first.end()
        }
        try await eventually { !root.active && !admin.active }
        try await first.settle()
        #expect(self.network.count == (isFirst ? 2 : 1))
        #expect(root.state == .disconnected)
        // They can be told to begin anew.
        admin.open()
        let next = try await self.network.next()
        try await next.join("/admin")
        try await admin.connect()
        #expect(!root.active)
    }

    /// With a server that sends what was missed before it says that the client has joined.
    @Test func handlersOfEarlyEventsSeeAClientThatIsConnected() async throws {
        let client = self.network.client()
        client.on("missed") { [weak client] in
            self.record.add("\(client?.state == .connected) \(client?.id ?? "-") \(client?.recovered == true)")
        }
        let engine = try await self.network.next()
        engine.handshake()
        _ = try await engine.next()
        engine.receive(#"0{"sid":"one","pid":"p"}"#)
        try await client.connect()
        engine.end()
        let next = try await self.network.next()
        next.handshake()
        _ = try await next.next()
        next.receive(#"2["missed","offset"]"#, #"0{"sid":"one","pid":"p"}"#)
        #expect(try await self.record.wait(count: 1) == ["true one true"])
    }

    @Test func urlThatCanNotBeUsed() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = SocketIOClient("ftp://example.com", configuration: configuration)
        #expect(await thrown { try await client.connect() } == "invalid configuration")
        #expect(client.state == .disconnected)
        #expect(await thrown { _ = try await client.emitWithAck("q", as: Int.self) } == "disconnected")
        let other = client.of("/other")
        #expect(await thrown { try await other.connect() } == "invalid configuration")
    }

    // MARK: auth

    @Test func authIsAskedForAtEveryAttempt() async throws {
        let count = Counter()
        let client = self.network.client("/", auth: SocketIOAuth { ["attempt": count.next()] })
        let first = try await self.network.next()
        #expect(try await first.join() == #"0{"attempt":1}"#)
        try await client.connect()
        first.end()
        let second = try await self.network.next()
        #expect(try await second.join() == #"0{"attempt":2}"#)
        client.auth = ["fixed": true]
        second.end()
        #expect(try await self.network.next().join() == #"0{"fixed":true}"#)
    }

    @Test func authThatThrows() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let isBroken = Flag()
        isBroken.set(true)
        let client = self.network.client(
            "/",
            auth: SocketIOAuth { () async throws -> [String: String] in
                if isBroken.isSet { throw TestError() }
                return ["token": "new"]
            }, configuration)
        self.record.watch(client)
        let result = Task { try await client.connect() }
        try await self.network.next().handshake()
        let error = await #expect(throws: SocketIOError.self) { try await result.value }
        #expect(error?.code == .authFailed)
        #expect(error?.cause is TestError)
        #expect(client.state == .disconnected)

        // Once it was connected it goes on trying.
        isBroken.set(false)
        client.open()
        let engine = try await self.network.next()
        #expect(try await engine.join() == #"0{"token":"new"}"#)
        try await client.connect()
        isBroken.set(true)
        engine.end()
        let next = try await self.network.next()
        next.handshake()
        try await eventually { self.record.count("connect_error auth_failed") >= 3 }
        isBroken.set(false)
        #expect(try await next.next() == #"0{"token":"new"}"#)
    }

    // MARK: Several namespaces

    @Test func namespacesShareAConnection() async throws {
        let manager = self.network.manager()
        let root = self.network.client(on: manager)
        let admin = root.of("/admin", auth: ["x": 1])
        #expect(admin.namespace == "/admin")
        let engine = try await self.network.next()
        engine.handshake()
        #expect(try await engine.next(2) == ["0", #"0/admin,{"x":1}"#])
        engine.receive(#"0{"sid":"r"}"#, #"0/admin,{"sid":"a"}"#)
        try await root.connect()
        try await admin.connect()
        root.emit("one")
        admin.emit("two")
        root.emit("three")
        #expect(try await engine.next(3) == [#"2["one"]"#, #"2/admin,["two"]"#, #"2["three"]"#])
        self.record.watch(root)
        admin.on("x") { self.record.add("admin x") }
        root.on("x") { self.record.add("root x") }
        engine.receive(#"2/admin,["x"]"#, #"2/none,["x"]"#, #"2["x"]"#)
        #expect(try await self.record.wait(count: 2) == ["admin x", "root x"])
        // The one that leaves does not take the other with it.
        await admin.disconnect()
        #expect(try await engine.next() == "1/admin,")
        root.emit("four")
        #expect(try await engine.next() == #"2["four"]"#)
        #expect(!engine.wasClosed)
        // After a loss all that want to be there join again.
        admin.open()
        #expect(try await engine.next() == #"0/admin,{"x":1}"#)
        engine.end()
        let second = try await self.network.next()
        second.handshake()
        #expect(try await second.next(2) == ["0", #"0/admin,{"x":1}"#])
        #expect(self.network.count == 2)
    }

    /// Another user, before the server has answered the first.
    @Test func authThatChangesBeforeTheAnswer() async throws {
        let manager = self.network.manager()
        let root = self.network.client(on: manager)
        let admin = root.of("/admin", auth: ["user": "old"])
        let engine = try await self.network.next()
        engine.handshake()
        #expect(try await engine.next(2) == ["0", #"0/admin,{"user":"old"}"#])
        engine.receive(#"0{"sid":"r"}"#)
        admin.leave()
        admin.auth = ["user": "new"]
        let connected = Task { try await admin.connect() }
        try await eventually { try await admin.pendingCount == 2 }
        #expect(admin.state == .connecting)
        engine.receive(#"0/admin,{"sid":"old"}"#)
        #expect(try await engine.next(2) == ["1/admin,", #"0/admin,{"user":"new"}"#])
        engine.receive(#"0/admin,{"sid":"new"}"#)
        try await connected.value
        #expect(admin.id == "new")
    }

    @Test func aNamespaceThatIsRefusedLeavesTheOther() async throws {
        let manager = self.network.manager()
        let root = self.network.client(on: manager)
        let admin = root.of("admin")
        let engine = try await self.network.next()
        engine.handshake()
        _ = try await engine.next(2)
        engine.receive(#"0{"sid":"r"}"#, #"4/admin,{"message":"no"}"#)
        try await eventually { !admin.active }
        try await root.connect()
        #expect(!engine.wasClosed)
        let again = Task { try await admin.connect() }
        #expect(try await engine.next() == "0/admin,")
        engine.receive(#"4/admin,{"message":"still no"}"#)
        #expect(await thrown { try await again.value } == "refused: still no")
    }

    // MARK: The end of a connection

    @Test func reconnectsAfterALoss() async throws {
        let (client, first) = try await self.network.connected()
        self.record.watch(client)
        first.end("ping timeout", EngineClientError(.pingTimeout, "nothing was heard"))
        let second = try await self.network.next()
        try await second.join(sid: "other")
        #expect(
            try await self.record.wait(count: 4) == [
                "disconnect ping timeout true", "reconnect_attempt 1", "reconnect 1", "connect new",
            ])
        #expect(client.id == "other")
    }

    @Test func doesNotReconnectWhenTheServerDisconnects() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        engine.receive("1")
        try await self.record.wait(for: "disconnect io server disconnect false")
        try await engine.waitFor(call: "close")
        #expect(!client.active)
        client.open()
        try await self.network.next().join()
        try await client.connect()
    }

    @Test func whatIsNoPacketEndsTheConnection() async throws {
        for text in ["9", "2{}", #"2["connect"]"#, "51-[\"a\",{\"_placeholder\":true,\"num\":0}]\u{0}", "", "2[["] {
            let network = FakeNetwork()
            let record = Recorder()
            let (client, engine) = try await network.connected()
            client.onDisconnect { record.add("\($0.reason) \($0.error is SocketIOError) \($0.willReconnect)") }
            engine.receive(text)
            try await record.wait(for: "parse error true true")
            try await engine.waitFor(call: "close")
            try await network.next().join()
            try await client.connect()
        }
    }

    @Test func limitsOfWhatIsReceived() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.maxArguments = 2
        configuration.maxDepth = 3
        for text in ["511-[\"a\"]", "2[\"a\",1,2,3]", "2[\"a\",[[[1]]]]"] {
            let network = FakeNetwork()
            let (client, engine) = try await network.connected("/", configuration)
            let record = Recorder()
            client.onDisconnect { record.add("\($0.reason)") }
            engine.receive(text)
            try await record.wait(for: "parse error")
        }
    }

    @Test func theConnectionEndsInTheMiddleOfAPacket() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("a") { self.record.add("a") }
        client.onDisconnect { self.record.add("\($0.reason) \($0.error.map { code(of: $0) } ?? "-")") }
        engine.receive("52-[\"a\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]")
        engine.receive(binary: [1])
        engine.end()
        #expect(try await self.record.wait(count: 1) == ["transport close incomplete_packet"])
        // The rest of it does not spoil the next connection.
        let next = try await self.network.next()
        try await next.join()
        next.receive("51-[\"a\",{\"_placeholder\":true,\"num\":0}]")
        next.receive(binary: [1])
        try await self.record.wait(for: "a")
    }

    @Test func anEngineThatWasGivenUpReachesNobody() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        client.on("late") { self.record.add("late") }
        client.leave()
        #expect(try await engine.next() == "1")
        client.open()
        let next = try await self.network.next()
        engine.receive(#"2["late"]"#)
        engine.end("transport error", EngineClientError(.connectionLost, "gone"))
        try await next.join(sid: "second")
        try await client.connect()
        #expect(client.id == "second")
        #expect(try await self.record.wait(count: 2) == ["disconnect io client disconnect false", "connect new"])
    }

    // MARK: On phones

    @Test func theNetworkComesAndGoes() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        client.networkChanged(available: true)
        try await engine.waitFor(call: "networkChanged")
        client.networkChanged(available: false)
        try await engine.waitFor(call: "cut")
        try await self.record.wait(for: "disconnect transport close true")
        #expect(client.state == .suspended)
        client.emit("kept")
        client.networkChanged(available: true)
        let next = try await self.network.next()
        try await next.join()
        #expect(try await next.next() == #"2["kept"]"#)
        try await self.record.wait(for: "reconnect 1")
    }

    @Test func backgroundAndForeground() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        client.background()
        try await engine.waitFor(call: "close")
        // The server can keep the session: the client has not left it.
        #expect(engine.sent.value == [])
        try await self.record.wait(for: "disconnect transport close true")
        #expect(client.state == .suspended)
        client.emit("kept")
        client.foreground()
        let next = try await self.network.next()
        try await next.join()
        #expect(try await next.next() == #"2["kept"]"#)
        client.foreground()
        try await next.waitFor(call: "networkChanged")
    }

    @Test func anAttemptIsMadeAnew() async throws {
        let client = self.network.client()
        self.record.watch(client)
        let first = try await self.network.next()
        client.foreground()
        try await first.waitFor(call: "cut")
        let second = try await self.network.next()
        client.networkChanged(available: true)
        try await second.waitFor(call: "cut")
        try await self.network.next().join()
        try await client.connect()
        #expect(self.network.count == 3)
        #expect(try await self.record.wait(count: 1) == ["connect new"])
    }

    @Test func reconnectNowDoesNotWait() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.reconnection.delay = .seconds(600)
        configuration.reconnection.maxDelay = .seconds(600)
        let (client, engine) = try await self.network.connected("/", configuration)
        engine.end()
        try await eventually { client.state == .reconnecting(attempt: 1) }
        client.reconnectNow()
        try await self.network.next().join()
        try await client.connect()
    }

    @Test func pingsAreTold() async throws {
        let (client, engine) = try await self.network.connected()
        client.onPing { self.record.add("ping") }
        engine.ping()
        try await self.record.wait(for: "ping")
    }

    @Test func statesAsASequence() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        var states = client.states.makeAsyncIterator()
        #expect(await states.next() == .disconnected)
        client.open()
        #expect(await states.next() == .connecting)
        let engine = try await self.network.next()
        try await engine.join()
        #expect(await states.next() == .connected)
        engine.end()
        #expect(await states.next() == .reconnecting(attempt: 1))
        try await self.network.next().join()
        var state = await states.next()
        while state == .connecting || state == .reconnecting(attempt: 1) { state = await states.next() }
        #expect(state == .connected)
        await client.disconnect()
        #expect(await states.next() == .disconnected)
    }
}
