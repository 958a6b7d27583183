import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// What is sent, over transports that the tests play.
struct EmitTests {
    private let network = FakeNetwork()
    private let record = Recorder()

    @Test func argumentsOfAllKinds() async throws {
        let (client, engine) = try await self.network.connected()
        client.emit("a")
        client.emit("b", 1, "x", [1.5], ["k": true])
        client.emit("c", arguments: [.null, .binary(ByteBuffer(bytes: [1, 2]))])
        client.send("text")
        client.emit(Event<Int, String>("typed"), 1, "x")
        #expect(
            try await engine.next(6) == [
                #"2["a"]"#, #"2["b",1,"x",[1.5],{"k":true}]"#,
                #"51-["c",null,{"_placeholder":true,"num":0}]"#, "b:0102", #"2["message","text"]"#,
                #"2["typed",1,"x"]"#,
            ])
    }

    @Test func whatCanNotBeSentIsReported() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        client.emit("connect")
        client.emit("x", arguments: [])
        #expect(try await engine.next() == #"2["x"]"#)
        try await self.record.wait(for: "error reserved_event")
        #expect(await thrown { _ = try await client.emitWithAck("disconnect", as: Int.self) } == "reserved_event")
    }

    @Test func errorsGoToTheHookOfTheConfiguration() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.onError = { self.record.add(code(of: $0)) }
        let client = self.network.client("/", configuration)
        client.emit("connect")
        try await self.record.wait(for: "reserved_event")
    }

    @Test func orderOfOneThread() async throws {
        let (client, engine) = try await self.network.connected()
        await withTaskGroup { group in
            for sender in 0..<4 {
                group.addTask { for number in 0..<500 { client.emit("n", sender, number) } }
            }
        }
        var next = [0, 0, 0, 0]
        for text in try await engine.next(2000) {
            let parts = text.dropLast().split(separator: ",").compactMap { Int($0) }
            #expect(next[parts[0]] == parts[1])
            next[parts[0]] += 1
        }
        // Far fewer flushes than events: a batch leaves together.
        #expect(next == [500, 500, 500, 500])
    }

    @Test func volatileEventsAreDroppedUnlessTheyCanLeave() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        client.volatile.emit("gone")
        client.emit("kept")
        client.open()
        let engine = try await self.network.next()
        try await engine.join()
        #expect(try await engine.next() == #"2["kept"]"#)
        engine.setWritable(false)
        client.volatile.emit("gone")
        client.emit("sync")
        #expect(try await engine.next() == #"2["sync"]"#)
        engine.setWritable(true)
        client.volatile.emit("sent", 1)
        #expect(try await engine.next() == #"2["sent",1]"#)
    }

    @Test func bufferOverflow() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.offlineBuffer.maxEvents = 2
        configuration.offlineBuffer.overflow = .dropOldest
        let client = self.network.client("/", configuration)
        self.record.watch(client)
        for number in 0..<4 { client.emit("n", number) }
        try await self.record.wait(count: 2)
        let engine = try await self.network.next()
        try await engine.join()
        #expect(try await engine.next(2) == [#"2["n",2]"#, #"2["n",3]"#])
        #expect(self.record.all.filter { $0 != "connect new" } == ["error limit_exceeded", "error limit_exceeded"])
    }

    // MARK: Acknowledgements

    @Test func emitWithAck() async throws {
        let (client, engine) = try await self.network.connected()
        async let answer = client.emitWithAck("sum", 1, 2, as: Int.self)
        #expect(try await engine.next() == #"20["sum",1,2]"#)
        engine.receive("30[3]")
        #expect(try await answer == 3)

        let typed = AckEvent<[String], String>("join")
        async let rooms = client.emitWithAck(typed, "lobby")
        #expect(try await engine.next() == #"21["join","lobby"]"#)
        engine.receive(#"31[["lobby"]]"#)
        #expect(try await rooms == ["lobby"])

        async let all = client.emitWithAck("all", arguments: [1])
        #expect(try await engine.next() == #"22["all",1]"#)
        engine.receive(#"62-2[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#)
        engine.receive(binary: [1])
        engine.receive(binary: [])
        #expect(try await all == [.binary(ByteBuffer(bytes: [1])), .binary(ByteBuffer())])

        async let nothing: Int? = client.emitWithAck("nothing")
        #expect(try await engine.next() == #"23["nothing"]"#)
        engine.receive("33[]")
        #expect(try await nothing == nil)
        #expect(try await client.pendingCount == 0)
    }

    @Test func answersOfAnotherShape() async throws {
        let (client, engine) = try await self.network.connected()
        let first = Task { try await client.emitWithAck("a", as: Int.self) }
        _ = try await engine.next()
        engine.receive(#"30["text"]"#)
        #expect(await thrown { _ = try await first.value } == "type_mismatch")
        let second = Task { try await client.emitWithAck("a", as: Int.self) }
        _ = try await engine.next()
        engine.receive("31[]")
        #expect(await thrown { _ = try await second.value } == "missing_argument")
    }

    @Test func anAnswerThatNeverComesFreesItsEntry() async throws {
        let (client, engine) = try await self.network.connected()
        #expect(
            await thrown { _ = try await client.emitWithAck("a", timeout: .milliseconds(5), as: Int.self) }
                == "ack_timeout")
        #expect(
            await thrown { _ = try await client.timeout(.milliseconds(5)).emitWithAck("b", as: Int.self) }
                == "ack_timeout")
        #expect(try await engine.next(2) == [#"20["a"]"#, #"21["b"]"#])
        #expect(try await client.pendingCount == 0)
        engine.receive("30[1]")
        #expect(client.connected)
    }

    @Test func theTimeoutOfTheConfiguration() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.ackTimeout = .milliseconds(5)
        let client = self.network.client("/", configuration)
        #expect(await thrown { _ = try await client.emitWithAck("a", as: Int.self) } == "ack_timeout")
        // It is not sent any more.
        let engine = try await self.network.next()
        try await engine.join()
        client.emit("b")
        #expect(try await engine.next() == #"2["b"]"#)
    }

    @Test func cancellationEndsTheWait() async throws {
        let (client, engine) = try await self.network.connected()
        let task = Task { try await client.emitWithAck("a", as: Int.self) }
        #expect(try await engine.next() == #"20["a"]"#)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let early = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await client.emitWithAck("b", as: Int.self)
        }
        early.cancel()
        await #expect(throws: CancellationError.self) { try await early.value }
        #expect(try await client.pendingCount == 0)
    }

    @Test func theLossOfTheConnectionEndsTheWait() async throws {
        let (client, engine) = try await self.network.connected()
        let task = Task { try await client.emitWithAck("a", as: Int.self) }
        _ = try await engine.next()
        engine.end()
        #expect(await thrown { _ = try await task.value } == "disconnected")
        let waiting = Task { try await client.emitWithAck("b", as: Int.self) }
        let next = try await self.network.next()
        try await next.join()
        #expect(try await next.next() == #"21["b"]"#)
        next.receive("31[7]")
        #expect(try await waiting.value == 7)
    }

    @Test func theServersDisconnectionEndsTheWait() async throws {
        for retries in [nil, 3] {
            let network = FakeNetwork()
            var configuration = SocketIOClientConfiguration.quick
            configuration.retries = retries
            let (client, engine) = try await network.connected("/", configuration)
            let first = Task { try await client.emitWithAck("a", as: Int.self) }
            #expect(try await engine.next() == #"20["a"]"#)
            let second = Task { try await client.emitWithAck("b", as: Int.self) }
            try await eventually { try await client.pendingCount == 2 }
            // Without retries that is an answer; with them the event was not sent yet.
            engine.receive("31[1]", "1")
            #expect(await thrown { _ = try await first.value } == "disconnected")
            #expect(await thrown { _ = try await second.value } == (retries == nil ? nil : "disconnected"))
            #expect(await thrown { _ = try await client.emitWithAck("c", as: Int.self) } == "disconnected")
            #expect(try await client.pendingCount == 0)
        }
    }

    @Test func noAnswerGoesToAnotherConnection() async throws {
        let (client, engine) = try await self.network.connected()
        let reply = Awaited<AckReply?>(nil)
        client.on("q") { (ack: AckReply) in reply.update { $0 = ack } }
        engine.receive(#"25["q"]"#)
        let ack = try await reply.wait("the question") { $0 }
        #expect(ack.isExpected)
        engine.end()
        let next = try await self.network.next()
        try await next.join()
        try await client.connect()
        ack("late")
        client.emit("sync")
        #expect(try await next.next() == #"2["sync"]"#)
    }

    // MARK: Retries

    @Test func retries() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.retries = 1000
        configuration.ackTimeout = .milliseconds(20)
        let (client, engine) = try await self.network.connected("/", configuration)
        client.emit("a")
        let answer = Task { try await client.emitWithAck("b", as: Int.self) }
        #expect(try await engine.next() == #"20["a"]"#)
        // Nobody answers: it is sent again.
        #expect(try await engine.next() == #"20["a"]"#)
        engine.receive("30[]")
        // Perhaps it was sent once more before that.
        var next = try await engine.next()
        while next == #"20["a"]"# { next = try await engine.next() }
        #expect(next == #"21["b"]"#)
        engine.end()
        let second = try await self.network.next()
        try await second.join()
        #expect(try await second.next() == #"21["b"]"#)
        second.receive("31[5]")
        #expect(try await answer.value == 5)
    }

    // MARK: Outgoing listeners

    @Test func outgoingEventsAreTold() async throws {
        var configuration = SocketIOClientConfiguration.quick
        configuration.autoConnect = false
        let client = self.network.client("/", configuration)
        client.onAnyOutgoing { name, arguments in self.record.add("2 \(name) \(arguments)") }
        client.prependAnyOutgoing { name, _ in self.record.add("1 \(name)") }
        client.emit("early", 1)
        client.open()
        let engine = try await self.network.next()
        try await engine.join()
        try await client.connect()
        client.emit("later", ["x"])
        #expect(try await self.record.wait(count: 4) == ["1 early", "2 early [1]", "1 later", #"2 later [["x"]]"#])
        client.offAnyOutgoing()
        client.emit("unseen")
        #expect(try await engine.next(3).last == #"2["unseen"]"#)
        #expect(self.record.all.count == 4)
    }
}
