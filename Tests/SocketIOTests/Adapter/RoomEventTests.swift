import SocketIO
import TestSupport
import Testing

@Suite struct RoomEventTests {
    @Test func allChangesAreTold() async throws {
        let events = Awaited<[RoomEvent]>([])
        try await withServer { io, port in
            io.main.local.onRoomEvent { event in events.update { $0.append(event) } }
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            let id = socket.id
            let other = try await join(port)
            let second = try #require(io.main.socket(id: try other.id()))
            events.update { $0 = $0.filter { $0 == .created(Room(id)) || $0 == .joined(Room(id), socketID: id) } }
            socket.join("a", "a")
            second.join("a")
            socket.leave("a")
            socket.leave("a")
            second.leave("a")
            socket.join("b")
            await client.close()
            let all = try await events.wait("the end") { $0.contains(.deleted(Room(id))) ? $0 : nil }
            #expect(
                all == [
                    .created(Room(id)), .joined(Room(id), socketID: id), .created("a"), .joined("a", socketID: id),
                    .joined("a", socketID: second.id), .left("a", socketID: id), .left("a", socketID: second.id),
                    .deleted("a"), .created("b"), .joined("b", socketID: id), .left("b", socketID: id), .deleted("b"),
                    .left(Room(id), socketID: id), .deleted(Room(id)),
                ])
        }
    }

    /// A listener is called outside the lock: it may use the namespace.
    @Test func listenersMayCallBack() async throws {
        try await withServer { io, port in
            let recorder = Recorder()
            io.main.local.onRoomEvent { event in
                if case .joined(let room, let id) = event, room == "a" {
                    io.to("a").emit("welcome", id)
                    recorder.add("\(io.main.local.hasMembers("a"))")
                    io.main.socket(id: id)?.join("b")
                }
            }
            io.main.onConnection { $0.join("a") }
            let client = try await join(port)
            #expect(try await client.expectEvent("welcome").string(0) == client.sid())
            #expect(recorder.all == ["true"])
            #expect(io.main.local.hasMembers("b"))
        }
    }
}
