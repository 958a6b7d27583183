import NIOCore
import SocketIO

extension SuiteCluster {
    func perform() async throws {
        switch self.check {
        case .broadcast: try await self.broadcast()
        case .rooms: try await self.rooms()
        case .local: try await self.local()
        case .arguments: try await self.arguments()
        case .order: try await self.order()
        case .acknowledgements: try await self.acknowledgements()
        case .missingAcknowledgements: try await self.missingAcknowledgements()
        case .fetchSockets: try await self.fetchSockets()
        case .joinAndLeave: try await self.joinAndLeave()
        case .disconnectSockets: try await self.disconnectSockets()
        case .serverSideEmit: try await self.serverSideEmit()
        case .serverSideEmitWithAck: try await self.serverSideEmitWithAck()
        case .namespaces: try await self.namespaces()
        case .leaving: try await self.leaving()
        }
    }

    private func broadcast() async throws {
        for server in self.servers { _ = server.of("/other") }
        try await self.waitUntilComplete("/other")
        let clients = try await self.connect()
        let others = try await self.connect("/other")
        for server in self.servers.indices {
            self.servers[server].emit("all")
            self.servers[server].except("nobody").emit("all again")
            try await self.expect(
                clients.map { _ in ["all", "all again"] }, at: clients, from: server, "a broadcast of server \(server)")
            try await self.expect(
                others.map { _ in [] }, at: others, from: server, namespace: "/other", "a broadcast in /")
        }
    }

    private func rooms() async throws {
        let clients = try await self.connect()
        for (index, client) in clients.enumerated() {
            try self.join(index, client, "all", Room("only \(index)"))
            try self.join(index, client, index % 2 == 0 ? "even" : "odd")
        }
        try await self.settle()
        let last = clients.count - 1
        let lastID = Room(try self.id(clients[last]))
        for server in self.servers.indices {
            let io = self.servers[server]
            io.to("even").emit("even")
            io.to("even", "odd", "all").emit("each")
            io.to("nobody").emit("nobody")
            io.to(Room("only \(last)")).emit("last")
            io.to(lastID).emit("last by id")
            io.except(lastID).emit("not the last")
            io.to("all").except("odd", "nobody").emit("not odd")
            let expected = clients.indices.map { index in
                var events = index % 2 == 0 ? ["even", "each"] : ["each"]
                if index == last { events += ["last", "last by id"] } else { events.append("not the last") }
                if index % 2 == 0 { events.append("not odd") }
                return events
            }
            try await self.expect(expected, at: clients, from: server, "broadcasts to rooms by server \(server)")
        }
        for server in self.servers.indices {
            guard let socket = self.servers[server].main.socket(id: try self.id(clients[server])) else {
                throw self.fail("socket \(server) is not on its server")
            }
            socket.broadcast.emit("others")
            socket.to("even").emit("even")
            let expected = clients.indices.map { index in
                index == server ? [] : index % 2 == 0 ? ["others", "even"] : ["others"]
            }
            try await self.expect(expected, at: clients, from: server, "socket.broadcast on server \(server)")
            socket.leave("all")
            self.servers[server].to("all").emit("left")
            let after = clients.indices.map { $0 <= server ? [] : ["left"] }
            try await self.expect(after, at: clients, from: server, "a room that was left")
        }
    }

    private func local() async throws {
        let clients = try await self.connect()
        for server in self.servers.indices {
            self.servers[server].local.emit("local")
            try await self.expect(
                clients.indices.map { $0 == server ? ["local"] : [] }, at: clients, from: server, "local")
        }
    }

    private func arguments() async throws {
        let clients = try await self.connect()
        let sent: [SocketIOValue] = [
            1, -1.5, "text é 👍 \u{2028}", true, nil, [], [:], [1, [2, [3]]],
            ["z": 1, "a": ["n": nil], "data": .binary(ByteBuffer(bytes: [0, 1, 255]))], .binary(ByteBuffer()),
            .int(9_007_199_254_740_991), .string(String(repeating: "x", count: 100_000)),
        ]
        for server in self.servers.indices {
            self.servers[server].emit(
                "values", sent[0], sent[1], sent[2], sent[3], sent[4], sent[5], sent[6], sent[7], sent[8], sent[9],
                sent[10], sent[11])
            self.servers[server].emit("the end")
            for (index, client) in clients.enumerated() {
                let events = try await self.events(of: client, index, "arguments")
                try self.require(events.count == 1, "client \(index) got \(events.count) events")
                try self.require(
                    events.first?.arguments == sent,
                    "client \(index) of server \(server) got other arguments: \(events.first?.arguments ?? [])")
            }
        }
    }

    private func order() async throws {
        let clients = try await self.connect()
        for (index, client) in clients.enumerated() { try self.join(index, client, "room") }
        try await self.settle()
        let names = (0..<200).map { "event \($0)" }
        for server in self.servers.indices {
            for (index, name) in names.enumerated() {
                if index % 2 == 0 {
                    self.servers[server].emit(name)
                } else {
                    self.servers[server].to("room").emit(name)
                }
            }
            try await self.expect(clients.map { _ in names }, at: clients, from: server, "order of server \(server)")
        }
    }

    private func acknowledgements() async throws {
        let clients = try await self.connect()
        for (index, client) in clients.enumerated() {
            client.setAnswer(.array([.int(index), "answer"]))
            try self.join(index, client, "all")
        }
        for server in self.servers.indices {
            let io = self.servers[server].timeout(self.suite.patience)
            for target in [io, io.to("all")] {
                let answers: [SocketIOValue] = try await target.emitWithAck("question", 1)
                let numbers = answers.map { $0[0]?.intValue ?? -1 }.sorted()
                try self.require(numbers == Array(clients.indices), "answers of \(numbers)")
            }
            let local: [SocketIOValue] = try await io.local.emitWithAck("question")
            try self.require(local == [[.int(server), "answer"]], "local answers \(local)")
            let none: [SocketIOValue] = try await io.to("nobody").emitWithAck("question")
            try self.require(none.isEmpty, "answers of nobody: \(none)")
        }
    }

    private func missingAcknowledgements() async throws {
        let clients = try await self.connect()
        for client in clients.dropFirst() { client.setAnswer("yes") }
        var rounds = 0
        var errors: [Int: BroadcastAckError] = [:]
        // Each question takes its whole time: more of it only if that was too short for the answers.
        for part in [10, 3, 1] {
            errors = try await self.unanswered(within: max(.milliseconds(300), self.suite.patience / part))
            rounds += 1
            let isComplete = errors.values.allSatisfy { error in
                error.answers.count == clients.count - 1 && error.missing.count + error.missingElsewhere == 1
            }
            if isComplete { break }
        }
        for (server, error) in errors {
            try self.require(
                error.answers == clients.dropFirst().map { _ in "yes" },
                "answers \(error.answers), missing \(error.missing) and \(error.missingElsewhere) elsewhere")
            if server == 0 {
                try self.require(error.missing == [try self.id(clients[0])], "missing \(error.missing)")
            }
            try self.require(
                error.missing.count + error.missingElsewhere == 1,
                "missing \(error.missing) and \(error.missingElsewhere) elsewhere")
        }
        // Each client was asked once by each server in each round.
        let questions = Array(repeating: "question", count: rounds * self.servers.count)
        try await self.expect(clients.map { _ in questions }, at: clients, from: 0, "questions")
    }

    /// Has all servers ask all clients at once, of which one does not answer.
    private func unanswered(within timeout: Duration) async throws -> [Int: BroadcastAckError] {
        try await withThrowingTaskGroup(of: (Int, BroadcastAckError).self) { group in
            for (index, server) in self.servers.enumerated() {
                group.addTask {
                    do {
                        let answers: [SocketIOValue] = try await server.timeout(timeout).emitWithAck("question")
                        throw self.fail("no error, but the answers \(answers)")
                    } catch let error as BroadcastAckError {
                        return (index, error)
                    }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}
