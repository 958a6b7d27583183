import NIOCore
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIOClient

/// What is received, over transports that the tests play.
struct ListenerTests {
    private let network = FakeNetwork()
    private let record = Recorder()

    @Test func argumentsInTheTypesOfTheHandler() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("none") { self.record.add("none") }
        client.on("two") { (a: Int, b: String?) in self.record.add("two \(a) \(b ?? "-")") }
        client.on("any") { (value: SocketIOValue) in self.record.add("any \(value)") }
        client.on("rest") { (first: Int, rest: Arguments) in self.record.add("rest \(first) \(rest.count)") }
        client.on(Event<[Int]>("typed")) { self.record.add("typed \($0)") }
        client.on("binary") { (bytes: ByteBuffer) in self.record.add("binary \(hex(bytes))") }
        engine.receive(
            #"2["none",1]"#, #"2["two",1]"#, #"2["two",2,"x",3]"#, #"2["any",{"a":null}]"#, #"2["rest",1,2,3]"#,
            #"2["typed",[1,2]]"#, #"51-["binary",{"_placeholder":true,"num":0}]"#)
        engine.receive(binary: [1, 2, 255])
        #expect(
            try await self.record.wait(count: 7) == [
                "none", "two 1 -", "two 2 x", #"any {"a":null}"#, "rest 1 2", "typed [1, 2]", "binary 0102ff",
            ])
    }

    @Test func whatAHandlerReturnsIsTheAnswer() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("nothing") {}
        client.on("value") { (a: Int) in a + 1 }
        client.on("later") { (a: Int) in
            await Task.yield()
            return a + 2
        }
        client.on("several") { Ack("ok", 200) }
        client.on("reply") { (ack: AckReply) in ack("x", 1) }
        client.on("values") { (ack: AckReply) in ack(arguments: [1, [2]]) }
        client.on("throws") { (_: Int) -> Int in throw TestError() }
        client.on(AckEvent<Int, Int>("typed")) { $0 * 2 }
        client.onError { self.record.add(code(of: $0)) }
        engine.receive(
            #"21["nothing"]"#, #"22["value",1]"#, #"24["several"]"#, #"25["reply"]"#, #"26["values"]"#,
            #"27["throws",1]"#, #"28["typed",4]"#, #"29["nobody"]"#)
        #expect(
            try await engine.next(6) == ["31[]", "32[2]", #"34["ok",200]"#, #"35["x",1]"#, "36[1,[2]]", "38[8]"])
        engine.receive(#"23["later",1]"#)
        #expect(try await engine.next() == "33[3]")
        try await self.record.wait(for: "TestError()")
    }

    @Test func whatDoesNotFitIsReported() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        client.on("int") { (value: Int) in self.record.add("int \(value)") }
        engine.receive(#"2["int"]"#, #"2["int","x"]"#, #"2["int",7]"#)
        try await self.record.wait(for: "int 7")
        try await self.record.wait(for: "error missing_argument")
        try await self.record.wait(for: "error type_mismatch")
    }

    @Test func severalListenersOneAnswer() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("q") { self.record.add("first") }
        client.on("q") { 1 }
        client.on("q") { 2 }
        engine.receive(#"21["q"]"#)
        #expect(try await engine.next() == "31[1]")
        client.emit("sync")
        #expect(try await engine.next() == #"2["sync"]"#)
        #expect(self.record.all == ["first"])
    }

    @Test func onceAndRemoval() async throws {
        let (client, engine) = try await self.network.connected()
        client.once("a") { self.record.add("once") }
        client.once(Event<Int>("b")) { self.record.add("once \($0)") }
        client.once("c") { 1 }
        let token = client.on("a") { self.record.add("on") }
        client.on("end") { self.record.add("end") }
        #expect(Set(client.eventNames) == ["a", "b", "c", "end"])
        engine.receive(#"2["a"]"#, #"2["a"]"#, #"2["b",1]"#, #"2["b",2]"#, #"21["c"]"#)
        #expect(try await engine.next() == "31[1]")
        #expect(self.record.all == ["once", "on", "on", "once 1"])
        token.cancel()
        token.cancel()
        #expect(client.eventNames == ["end"])
        engine.receive(#"2["a"]"#, #"2["end"]"#)
        #expect(try await self.record.wait(count: 5).last == "end")
        client.removeAllListeners("end")
        client.on("x") {}
        client.removeAllListeners()
        #expect(client.eventNames == [])
    }

    @Test func catchAll() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("a") { self.record.add("own") }
        let token = client.onAny { name, arguments in self.record.add("any \(name) \(arguments)") }
        client.prependAny { name, _ in self.record.add("first \(name)") }
        engine.receive(#"2["a",1]"#, #"2["b",[2]]"#)
        #expect(
            try await self.record.wait(count: 5) == ["first a", "any a [1]", "own", "first b", "any b [[2]]"])
        token.cancel()
        client.offAny()
        engine.receive(#"2["a"]"#)
        #expect(try await self.record.wait(count: 6).last == "own")
    }

    @Test func hooksAreRemoved() async throws {
        let (client, engine) = try await self.network.connected()
        let token = client.onPing { self.record.add("removed") }
        client.onPing { self.record.add("ping") }
        token.cancel()
        engine.ping()
        #expect(try await self.record.wait(count: 1) == ["ping"])
    }

    @Test func sequencesAreBounded() async throws {
        let (client, engine) = try await self.network.connected()
        self.record.watch(client)
        let numbers = client.events("n", limit: 3, as: Int.self)
        let pairs = client.events(Event<Int, String>("pair"))
        for number in 0..<5 { engine.receive("2[\"n\",\(number)]") }
        engine.receive(#"27["pair",1,"x"]"#)
        #expect(try await engine.next() == "37[]")
        try await eventually { self.record.count("error limit_exceeded") == 2 }
        var iterator = numbers.makeAsyncIterator()
        for number in 0..<3 { #expect(await iterator.next() == number) }
        for await (number, text) in pairs {
            #expect(number == 1 && text == "x")
            break
        }
        // Over a reconnection it goes on.
        engine.end()
        let next = try await self.network.next()
        try await next.join()
        next.receive(#"2["n",9]"#)
        #expect(await iterator.next() == 9)
    }

    @Test func aSequenceEndsWithTheClient() async throws {
        var client: SocketIOClient? = self.network.client()
        let stream = try #require(client).events("n", as: Int.self)
        let states = try #require(client).states
        client = nil
        for await _ in stream {}
        for await _ in states {}
    }

    @MainActor @Test func theActorsOrderIsThatOfArrival() async throws {
        let (client, engine) = try await self.network.connected()
        let model = Model(client)
        for number in 0..<1000 { engine.receive("2[\"n\",\(number)]") }
        engine.receive(#"25["count"]"#)
        #expect(try await engine.next() == "35[1000]")
        #expect(model.numbers == Array(0..<1000))
    }

    @Test func nonisolatedHandlersStartInOrder() async throws {
        let (client, engine) = try await self.network.connected()
        client.on("n") { (number: Int) in
            self.record.add("\(number)")
            await Task.yield()
        }
        for number in 0..<300 { engine.receive("2[\"n\",\(number)]") }
        #expect(try await self.record.wait(count: 300) == (0..<300).map { "\($0)" })
    }
}

/// As an application has it.
@MainActor private final class Model {
    var numbers: [Int] = []
    let client: SocketIOClient

    init(_ client: SocketIOClient) {
        self.client = client
        client.on("n") { [weak self] (number: Int) in self?.numbers.append(number) }
        client.on("count") { [weak self] in self?.numbers.count ?? 0 }
    }
}
