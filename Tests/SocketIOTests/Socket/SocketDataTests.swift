import SocketIO
import TestSupport
import Testing

struct User: Codable, Sendable, Equatable {
    var name: String
    var age: Int?
}

extension SocketDataKey {
    static var user: SocketDataKey<User> { .init("user") }
    static var score: SocketDataKey<Int> { .init("score") }
}

@Suite struct SocketDataTests {
    @Test func byKey() async throws {
        try await withServer { io, port in
            _ = try await join(port)
            let socket = try await onlySocket(io.main)
            #expect(socket.data[.user] == nil)
            socket.data[.user] = User(name: "alice", age: 30)
            socket.data[.score] = 1
            socket.data[.score]? += 1
            #expect(socket.data[.user] == User(name: "alice", age: 30))
            #expect(socket.data[.score] == 2)
            // A key of the same name with another type finds nothing.
            #expect(socket.data[SocketDataKey<String>("score")] == nil)
            #expect(socket.data.snapshot == ["user": ["name": "alice", "age": 30], "score": 2])
            socket.data[.user] = nil
            #expect(socket.data[.user] == nil)
            #expect(socket.data.snapshot == ["score": 2])
        }
    }

    /// It crosses servers in its encoded form.
    @Test func remotely() async throws {
        try await withServer { io, port in
            io.main.onConnection { $0.data[.user] = User(name: "bob") }
            let client = try await join(port)
            let found = try await io.fetchSockets()
            #expect(found.map(\.id) == [try client.id()])
            let remote = try #require(found.first)
            #expect(remote.data(.user) == User(name: "bob"))
            #expect(remote.data(.score) == nil)
            #expect(remote.data == ["user": ["name": "bob"]])
        }
    }
}
