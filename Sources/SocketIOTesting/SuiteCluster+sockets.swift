import SocketIO
import Synchronization

extension SuiteCluster {
    func fetchSockets() async throws {
        let key = SocketDataKey<[String: Int]>("index")
        let clients = try await self.connect()
        for (index, client) in clients.enumerated() {
            try self.join(index, client, "all", Room("only \(index)"))
            self.servers[index].main.socket(id: try self.id(client))?.data[key] = ["index": index]
        }
        let ids = try clients.map { try self.id($0) }
        for server in self.servers.indices {
            let io = self.servers[server].timeout(self.suite.patience)
            let all = try await io.fetchSockets()
            try self.require(Set(all.map(\.id)) == Set(ids) && all.count == ids.count, "found \(all.map(\.id))")
            for socket in all {
                guard let index = ids.firstIndex(of: socket.id) else { continue }
                try self.require(
                    socket.rooms == ["all", Room("only \(index)"), Room(socket.id)], "rooms \(socket.rooms)")
                try self.require(socket.data(key) == ["index": index], "data \(socket.data)")
                try self.require(socket.handshake.query["EIO"] == "4", "query \(socket.handshake.query)")
                try self.require(
                    socket.handshake.headers.first(name: "host") != nil, "headers \(socket.handshake.headers)")
            }
            let last = ids.count - 1
            let one = try await io.to(Room("only \(last)")).allSockets()
            try self.require(one == [ids[last]], "in a room \(one)")
            let rest = try await io.except(Room(ids[last])).allSockets()
            try self.require(rest == Set(ids.dropLast()), "except one \(rest)")
            let local = try await io.local.allSockets()
            try self.require(local == [ids[server]], "local \(local)")
        }
        await clients[0].close()
        for (index, server) in self.servers.enumerated() {
            var found: ClusterAnswer<RemoteSocket>?
            _ = try await self.wait(
                for: """
                    server \(index) to miss the socket that has left; it found \(found?.map(\.id) ?? []) \
                    and missed the servers \(found?.missingServers ?? [])
                    """
            ) {
                let sockets = try await server.fetchSockets()
                found = sockets
                return Set(sockets.map(\.id)) == Set(ids.dropFirst()) ? true : nil
            }
        }
    }

    /// Waits until a room has these clients' sockets, asked of the servers' own tables.
    private func waitForMembers(_ indices: Set<Int>, of room: Room, _ clients: [SuiteClient]) async throws {
        for (index, client) in clients.enumerated() {
            let socket = self.servers[index].main.socket(id: try self.id(client))
            _ = try await self.wait(for: "socket \(index) \(indices.contains(index) ? "in" : "outside") \(room)") {
                (socket?.rooms.contains(room) ?? false) == indices.contains(index) ? true : nil
            }
        }
    }

    func joinAndLeave() async throws {
        let clients = try await self.connect()
        let all = Set(clients.indices)
        let last = clients.count - 1
        for server in self.servers.indices {
            let io = self.servers[server]
            io.socketsJoin("all", "more")
            try await self.waitForMembers(all, of: "all", clients)
            try await self.waitForMembers(all, of: "more", clients)
            io.to(Room(try self.id(clients[last]))).socketsJoin("last")
            try await self.waitForMembers([last], of: "last", clients)
            io.local.socketsJoin("local")
            try await self.waitForMembers([server], of: "local", clients)
            io.to("last").socketsLeave("all")
            try await self.waitForMembers(all.subtracting([last]), of: "all", clients)
            io.socketsLeave("all", "more", "last", "local")
            for room in ["all", "more", "last", "local"] {
                try await self.waitForMembers([], of: Room(room), clients)
            }
            let found = try await io.timeout(self.suite.patience).fetchSockets()
            found.first { $0.id == clients[last].id }?.join("remote")
            try await self.waitForMembers([last], of: "remote", clients)
            found.first { $0.id == clients[last].id }?.leave("remote")
            try await self.waitForMembers([], of: "remote", clients)
        }
    }

    func disconnectSockets() async throws {
        for server in self.servers.indices {
            for close in [false, true] {
                let clients = try await self.connect()
                for (index, client) in clients.enumerated() where index != server {
                    try self.join(index, client, "leaving")
                }
                self.servers[server].in("leaving").disconnectSockets(close: close)
                for (index, client) in clients.enumerated() where index != server {
                    _ = try await self.wait(for: "client \(index) to be disconnected") {
                        client.state.withLock { $0.isDisconnected } ? true : nil
                    }
                }
                let isHere = !clients[server].state.withLock { $0.isDisconnected }
                try self.require(isHere, "a client outside the room was disconnected")
                // Others may hear of it when the next clients are there already.
                let last = Room("last \(server) \(close)")
                try self.join(server, clients[server], last)
                self.servers[server].in(last).disconnectSockets(close: close)
                _ = try await self.wait(for: "the last client to be disconnected") {
                    clients[server].state.withLock { $0.isDisconnected } ? true : nil
                }
            }
        }
    }

    func serverSideEmit() async throws {
        let heard = Heard()
        for (index, server) in self.servers.enumerated() {
            server.on("hello") { (from: Int, value: SocketIOValue) in heard.add("\(index) heard \(from) \(value)") }
        }
        var expected: Set<String> = []
        for (from, server) in self.servers.enumerated() {
            server.serverSideEmit("hello", from, ["x": [1, nil]] as SocketIOValue)
            for to in self.servers.indices where to != from { expected.insert("\(to) heard \(from) {\"x\":[1,null]}") }
        }
        let wanted = expected
        _ = try await self.wait(for: "\(wanted.sorted()), heard: \(heard.all)") {
            Set(heard.all).isSuperset(of: wanted) ? true : nil
        }
        try self.require(heard.all.count == wanted.count, "heard too much: \(heard.all)")
    }

    func serverSideEmitWithAck() async throws {
        for (index, server) in self.servers.enumerated() {
            server.on("add") { (number: Int) in number + index }
        }
        for (from, server) in self.servers.enumerated() {
            let answers: ClusterAnswer<Int> = try await server.timeout(self.suite.patience).serverSideEmitWithAck(
                "add", 100)
            let expected = self.servers.indices.filter { $0 != from }.map { 100 + $0 }
            try self.require(answers.sorted() == expected, "answers \(answers) instead of \(expected)")
        }
    }

    func namespaces() async throws {
        let parents = self.servers.map { $0.of(/^\/suite-\d+$/) }
        let clients = try await self.connect("/suite-1")
        try await self.waitUntilComplete("/suite-1")
        for (index, client) in clients.enumerated() { try self.join(index, client, "room", namespace: "/suite-1") }
        try await self.settle()
        for server in self.servers.indices {
            parents[server].emit("parent")
            parents[server].to("room").emit("room")
            self.servers[server].emit("main")
            try await self.expect(
                clients.map { _ in ["parent", "room"] }, at: clients, from: server, namespace: "/suite-1",
                "a dynamic namespace")
        }
    }

    func leaving() async throws {
        guard self.servers.count > 1 else { return }
        let clients = try await self.connect()
        await self.servers[0].close(timeout: .milliseconds(500))
        let rest = Array(clients.dropFirst())
        for index in self.servers.indices.dropFirst() {
            try await self.waitForCount(self.servers.count - 1, at: index, self.servers[index].main)
        }
        for client in rest { client.setAnswer(1) }
        for server in self.servers.indices.dropFirst() {
            self.servers[server].emit("all")
            try await self.expect(rest.map { _ in ["all"] }, at: rest, from: server, "a broadcast without server 0")
            let answers: [Int] = try await self.servers[server].timeout(self.suite.patience).emitWithAck("question")
            try self.require(answers == rest.map { _ in 1 }, "answers \(answers)")
            try await self.expect(rest.map { _ in ["question"] }, at: rest, from: server, "the question")
            let found = try await self.servers[server].timeout(self.suite.patience).allSockets()
            try self.require(found == Set(rest.compactMap(\.id)), "found \(found)")
        }
    }
}

/// What listeners have heard.
private final class Heard: Sendable {
    private let entries = Mutex<[String]>([])

    func add(_ entry: String) { self.entries.withLock { $0.append(entry) } }

    var all: [String] { self.entries.withLock { $0 } }
}
