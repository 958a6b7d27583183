import SocketIO
import TestSupport
import Testing

@Suite struct RoomTests {
    @Test func comingAndGoing() async throws {
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            let own = Room(socket.id)
            #expect(socket.rooms == [own])
            socket.join("a", "b")
            socket.join(["b", "c"])
            socket.join([])
            #expect(socket.rooms == [own, "a", "b", "c"])
            #expect(io.main.local.roomCount == 3)
            #expect(io.main.local.hasMembers("a") && io.main.local.hasMembers(own))
            socket.leave("a")
            socket.leave("never joined")
            // That of its own id can't be left.
            socket.leave(own)
            #expect(socket.rooms == [own, "b", "c"])
            #expect(!io.main.local.hasMembers("a"))
            #expect(io.main.local.rooms == [own, "b", "c"])
            io.to("a").emit("never")
            io.to(own).emit("own")
            #expect(try await client.eventsSoFar() == ["own"])
            try client.disconnect()
            try await eventually("it has left all") { io.main.local.rooms.isEmpty }
            #expect(socket.rooms.isEmpty)
        }
    }

    /// A room named like a socket holds that socket and those who have joined.
    @Test func roomNamedLikeASocket() async throws {
        try await withServer { io, port in
            let one = try await join(port)
            let two = try await join(port)
            let room = Room(try one.id())
            let joiner = try #require(io.main.socket(id: try two.id()))
            joiner.join(room)
            io.to(room).emit("x")
            #expect(try await one.eventsSoFar() == ["x"])
            #expect(try await two.eventsSoFar() == ["x"])
            io.except(room).emit("y")
            #expect(try await one.eventsSoFar() == [])
            #expect(try await two.eventsSoFar() == [])
            await one.close()
            try await eventually("one has left") { io.main.sockets.count == 1 }
            #expect(io.main.local.rooms == [room, Room(try two.id())])
            joiner.leave(room)
            #expect(io.main.local.roomCount == 0)
        }
    }

    @Test func noMoreThanTheLimit() async throws {
        let errors = ErrorRecorder()
        try await withServer {
            $0.maxRoomsPerSocket = 3
            $0.onError = errors.hook
        } _: { io, port in
            io.use { socket in if socket.handshake.auth == ["early": true] { socket.join("a", "b", "c", "d") } }
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            socket.join("a", "b", "c", "a")
            #expect(errors.all.isEmpty)
            socket.join("d")
            #expect(errors.codes == [.limitExceeded])
            #expect(socket.rooms == ["a", "b", "c", Room(socket.id)])
            socket.leave("a")
            socket.join("d")
            #expect(errors.all.count == 1)
            await client.close()
            // Those of a middleware count too.
            let early = try await join(port, auth: "{\"early\":true}")
            try await early.sync()
            #expect(errors.codes == [.limitExceeded, .limitExceeded])
            #expect(io.main.socket(id: try early.id())?.rooms.count == 4)
        }
    }

    /// Chunks of a large room are filled and emptied in any order.
    @Test func largeRoom() async throws {
        try await withServer { io, port in
            // Many sockets of few connections: one per namespace would be another table, so this takes connections.
            let clients = try await withThrowingTaskGroup(of: SIOClient.self) { group in
                for _ in 0..<300 { group.addTask { try await join(port) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            io.socketsJoin("all")
            #expect(io.main.local.roomCount == 1)
            let leaving = Set(try clients.enumerated().filter { $0.offset % 3 == 0 }.map { try $0.element.id() })
            for id in leaving { io.main.socket(id: id)?.leave("all") }
            let found = try await io.in("all").allSockets()
            #expect(found.count == 200 && found.isDisjoint(with: leaving))
            io.to("all").emit("x")
            for client in clients where !leaving.contains(try client.id()) { _ = try await client.expectEvent("x") }
            for client in clients { await client.session.abort() }
            // A connection is counted no more before its sockets leave.
            try await eventually("all are gone") { io.connectionCount == 0 && io.main.sockets.isEmpty }
            #expect(io.main.local.rooms.isEmpty)
        }
    }
}
