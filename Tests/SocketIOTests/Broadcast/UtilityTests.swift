import SocketIO
import TestSupport
import Testing

/// What is done with many sockets at once.
@Suite struct UtilityTests {
    /// Three clients; the first two are in `room`.
    private func joinThree(_ io: SocketIOServer, _ port: Int) async throws -> [SIOClient] {
        let clients = try await Array(0..<3).asyncMap { _ in try await join(port) }
        for client in clients.prefix(2) { io.main.socket(id: try client.id())?.join("room") }
        return clients
    }

    private func rooms(_ io: SocketIOServer, _ client: SIOClient) throws -> Set<Room> {
        let id = try client.id()
        return (io.main.socket(id: id)?.rooms ?? []).subtracting([Room(id)])
    }

    @Test func fetchSockets() async throws {
        try await withServer { io, port in
            let clients = try await self.joinThree(io, port)
            let all = try await io.fetchSockets()
            #expect(Set(all.map(\.id)) == Set(try clients.map { try $0.id() }))
            let two = try await io.in("room").fetchSockets()
            #expect(Set(two.map(\.id)) == Set(try clients.prefix(2).map { try $0.id() }))
            let first = try #require(two.first { $0.id == (try? clients[0].id()) })
            #expect(first.rooms == ["room", Room(first.id)])
            #expect(first.handshake.query["EIO"] == "4")
            #expect(try await io.local.except("room").allSockets() == [try clients[2].id()])
            #expect(try await io.to("nobody").fetchSockets().isEmpty)
        }
    }

    @Test func remoteSockets() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let remote = try #require(try await io.fetchSockets().first)
            remote.emit("hello", 1)
            #expect(try await client.expectEvent("hello").int(0) == 1)
            remote.join("a", "b")
            #expect(try self.rooms(io, client) == ["a", "b"])
            remote.leave("a")
            async let answer: Int = remote.emitWithAck("question", timeout: .seconds(10))
            try client.acknowledge(try await client.nextEvent(), "7")
            #expect(try await answer == 7)
            await #expect(throws: BroadcastAckError.self) {
                _ = try await remote.emitWithAck("ignored", timeout: .milliseconds(20), as: Int.self)
            }
            #expect(try self.rooms(io, client) == ["b"])
            remote.disconnect()
            #expect(try await client.waitForDisconnect() == "io server disconnect")
            try await client.connect()
            try await io.fetchSockets().first?.disconnect(close: true)
            try await client.session.waitForClose()
        }
    }

    @Test func joinAndLeave() async throws {
        try await withServer { io, port in
            let clients = try await self.joinThree(io, port)
            io.socketsJoin("all")
            io.in("room").socketsJoin("x", "y")
            io.local.except("room").socketsJoin("rest")
            #expect(
                try clients.map { try self.rooms(io, $0) } == [
                    ["room", "all", "x", "y"], ["room", "all", "x", "y"], ["all", "rest"],
                ])
            io.socketsLeave("all")
            io.to("x").socketsLeave("x", "y")
            io.local.socketsLeave("rest")
            #expect(try clients.map { try self.rooms(io, $0) } == [["room"], ["room"], []])
        }
    }

    @Test(arguments: [true, false]) func disconnectSockets(close: Bool) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
            }
            let clients = try await self.joinThree(io, port)
            io.in("room").disconnectSockets(close: close)
            for client in clients.prefix(2) {
                #expect(try await client.waitForDisconnect() == "io server disconnect")
                if close { try await client.session.waitForClose() }
            }
            #expect(Set(try await recorder.wait(count: 2)) == ["server namespace disconnect"])
            #expect(try await clients[2].eventsSoFar().isEmpty)
            io.local.disconnectSockets(close: close)
            try await clients[2].waitForDisconnect()
            try await eventually("all have left") { io.main.sockets.isEmpty }
            // A socket has left the namespace before its handlers hear of it.
            #expect(Set(try await recorder.wait(count: 3)) == ["server namespace disconnect"])
        }
    }

    /// Alone, a server has nobody to send to.
    @Test func serverSideAlone() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.on("hello") { recorder.add("never") }
            io.serverSideEmit("hello", 1)
            let answers: ClusterAnswer<Int> = try await io.serverSideEmitWithAck("hello")
            #expect(answers.isEmpty)
            #expect(try await io.main.adapter.serverCount() == 1)
            #expect(recorder.all.isEmpty)
        }
    }
}
