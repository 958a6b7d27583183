import NIOCore
import RESP
import SocketIO
import SocketIOCore
import TestSupport
import Testing

@testable import SocketIORedis

extension Event {
    fileprivate static var price: Event<String, Int> { .init("price") }
}

extension AckEvent {
    fileprivate static var question: AckEvent<Int, String> { .init("question") }
}

extension SocketDataKey {
    fileprivate static var user: SocketDataKey<String> { .init("user") }
}

/// All that an emitter does, at a cluster of servers.
struct EmitterChecks: Sendable {
    let nodes: [TestNode]
    let emitter: RedisEmitter

    /// Rooms, exceptions, namespaces, flags, keys.
    func events() async throws {
        var listeners: [EmitterListener] = []
        for (index, node) in self.nodes.enumerated() {
            listeners.append(try await EmitterListener(node, rooms: "room\(index)", "all"))
        }
        let other = try await EmitterListener(self.nodes[0], "/other", rooms: "all")
        try await self.settle("all", listeners)
        try await self.settle("all", [other], "/other")
        self.emitter.emit("everybody", 1)
        self.emitter.to("room0").emit("one room")
        self.emitter.to("room1", "room2", "room1").emit("two rooms")
        self.emitter.in("all").except("room1").emit("except")
        self.emitter.to(Room(listeners[2].id)).emit("one socket")
        self.emitter.compress(true).to("nobody").emit("nobody")
        self.emitter.emit(.price, "ABC", 3)
        self.emitter.of("other").emit("elsewhere")
        self.emitter.in("all").emit("binary", ByteBuffer(bytes: [1, 2]), arguments())
        try await self.finish("all", [other], "/other")
        try await self.finish("all", listeners)
        #expect(try await other.events(upTo: "end") == ["elsewhere"])
        #expect(
            try await listeners[0].events(upTo: "end") == ["everybody", "one room", "except", "price", "binary"])
        #expect(try await listeners[1].events(upTo: "end") == ["everybody", "two rooms", "price", "binary"])
        #expect(
            try await listeners[2].events(upTo: "end")
                == ["everybody", "two rooms", "except", "one socket", "price", "binary"])
        // It may be dropped, but not for ever by clients that nothing else is sent to.
        try await eventually("a volatile event arrives") {
            try await self.emitter.volatile.publish("volatile")
            return listeners.allSatisfy { $0.client.pendingEvents() > 0 }
        }
        #expect(try await listeners[2].client.nextEvent().name == "volatile")
    }

    private func arguments() -> SocketIOValue { ["deep": [1, 2.5, nil, "text", true]] }

    /// Waits until what is sent to a room reaches these: rooms with channels of their own are subscribed in the background.
    private func settle(_ room: Room, _ listeners: [EmitterListener], _ namespace: String = "/") async throws {
        try await eventually("the servers hear what is sent to \(room)") {
            try await self.emitter.of(namespace).to(room).publish("hello")
            return listeners.allSatisfy { $0.client.pendingEvents(namespace) > 0 }
        }
        try await self.emitter.of(namespace).to(room).publish("settled")
        for listener in listeners { _ = try await listener.events(upTo: "settled") }
    }

    private func finish(_ room: Room, _ listeners: [EmitterListener], _ namespace: String = "/") async throws {
        try await self.emitter.flush()
        // Room channels and the others may be at different nodes: each has its end.
        try await self.emitter.of(namespace).publish("end")
    }

    /// Joining, leaving, disconnecting.
    func sockets() async throws {
        var listeners: [EmitterListener] = []
        for node in self.nodes { listeners.append(try await EmitterListener(node, rooms: "start")) }
        self.emitter.in("start").except(Room(listeners[1].id)).socketsJoin("a", "b")
        for (index, listener) in listeners.enumerated() where index != 1 {
            try await eventually("a join") { listener.socket?.rooms.isSuperset(of: ["a", "b"]) == true }
        }
        #expect(listeners[1].socket?.rooms.contains("a") == false)
        self.emitter.in("a").socketsLeave("a")
        for (index, listener) in listeners.enumerated() where index != 1 {
            try await eventually("a leave") { listener.socket?.rooms.contains("a") == false }
            #expect(listener.socket?.rooms.contains("b") == true)
        }
        self.emitter.in("b").disconnectSockets()
        for (index, listener) in listeners.enumerated() where index != 1 {
            #expect(try await listener.client.waitForDisconnect() == "io server disconnect")
        }
        self.emitter.disconnectSockets(close: true)
        #expect(try await listeners[1].client.waitForDisconnect() != "")
        let closed = try await listeners[1].client.session.waitForClose()
        #expect(closed.reason == "transport close")
    }

    /// Sockets are found, and can be spoken to.
    func fetch() async throws {
        var listeners: [EmitterListener] = []
        for (index, node) in self.nodes.enumerated() {
            let listener = try await EmitterListener(node, rooms: "room\(index)", "all")
            listener.socket?.data[.user] = "user \(index)"
            listeners.append(listener)
        }
        let found = try await self.emitter.in("all").fetchSockets()
        #expect(found.isComplete)
        #expect(Set(found.map(\.id)) == Set(listeners.map(\.id)))
        let second = try #require(found.first { $0.id == listeners[1].id })
        #expect(second.rooms == ["all", "room1", Room(second.id)])
        #expect(second.data(.user) == "user 1")
        #expect(second.handshake.query["EIO"] == "4")
        #expect(try await self.emitter.allSockets() == Set(listeners.map(\.id)))
        #expect(try await self.emitter.in("room0", "room2").allSockets() == [listeners[0].id, listeners[2].id])
        #expect(try await self.emitter.serverCount() == self.nodes.count)
        let count = try await self.emitter.except("room0").count()
        #expect(count == RedisEmitterCount(servers: 3, sockets: 2, missingServerCount: 0, missingServers: []))
        let nobody = try await self.emitter.of("/nobody").count()
        #expect(nobody == RedisEmitterCount(servers: 0, sockets: 0, missingServerCount: 0, missingServers: []))

        second.join("more")
        try await eventually("a join") { listeners[1].socket?.rooms.contains("more") == true }
        second.leave("more")
        try await eventually("a leave") { listeners[1].socket?.rooms.contains("more") == false }
        second.emit("personal", 1)
        #expect(try await listeners[1].client.expectEvent("personal").string(0) == nil)
        let task = listeners[1].answer("\"yes\"")
        defer { task.cancel() }
        #expect(try await second.emitWithAck("question", as: String.self) == "yes")
        second.disconnect()
        #expect(try await listeners[1].client.waitForDisconnect() == "io server disconnect")
        let error = await #expect(throws: BroadcastAckError.self) {
            try await second.emitWithAck("question", timeout: .seconds(5), as: String.self)
        }
        #expect(error?.missing == [second.id])
        #expect(listeners[0].client.pendingEvents() == 0)
    }

    /// Acknowledgements of sockets, answers of servers.
    func answers() async throws {
        var tasks: [Task<Void, Never>] = []
        defer { for task in tasks { task.cancel() } }
        for (index, node) in self.nodes.enumerated() {
            for number in 0..<2 {
                let listener = try await EmitterListener(node, rooms: "room\(index)", "all")
                tasks.append(listener.answer("\(index * 10 + number)"))
            }
        }
        let all: [Int] = try await self.emitter.emitWithAck("question", "how many?")
        #expect(all.sorted() == [0, 1, 10, 11, 20, 21])
        #expect(try await self.emitter.in("room1").emitWithAck(.question, "?").sorted() == [10, 11])
        #expect(try await self.emitter.in("nobody").emitWithAck("question", as: Int.self) == [])
        #expect(try await self.emitter.of("/nobody").emitWithAck("question", as: Int.self) == [])
        #expect(try await self.emitter.in("room2").emitWithAck("question", arguments: [1, "2"]).count == 2)

        let silent = try await EmitterListener(self.nodes[0], rooms: "silent", "room0")
        let error = try await withGrowingLimit("two answers") { limit -> BroadcastAckError? in
            let error = await #expect(throws: BroadcastAckError.self) {
                try await self.emitter.in("room0").timeout(limit).emitWithAck("question", as: Int.self)
            }
            return error?.answers.count == 2 ? error : nil
        }
        #expect(Set(error.answers) == [0, 1])
        #expect(error.missingElsewhere == 1)
        #expect(error.missingServers == [])
        #expect(try await silent.events(upTo: "question").allSatisfy { $0 == "question" })

        let heard = Awaited<[String]>([])
        for (index, node) in self.nodes.enumerated() {
            node.io.on("ask") { (text: String) -> String in "\(text) \(index)" }
            node.io.on("tell") { (text: String) -> Void in heard.update { $0.append(text) } }
        }
        self.emitter.serverSideEmit("tell", "this")
        try await heard.wait("three servers") { $0 == ["this", "this", "this"] ? true : nil }
        let replies: ClusterAnswer<String> = try await self.emitter.serverSideEmitWithAck("ask", "server")
        #expect(replies.isComplete)
        #expect(Set(replies) == ["server 0", "server 1", "server 2"])
    }
}
