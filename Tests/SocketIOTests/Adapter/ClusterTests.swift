import NIOCore
import SocketIO
import TestSupport
import Testing

/// Two servers with an adapter between them: what goes through the seam.
@Suite struct ClusterTests {
    /// Two servers of a cluster, with their ports.
    private func withCluster(
        configure: (inout SocketIOConfiguration) -> Void = { _ in },
        _ body: (SocketIOServer, Int, SocketIOServer, Int) async throws -> Void
    ) async throws {
        let cluster = FakeCluster()
        try await withServer {
            configure(&$0)
            $0.adapter = cluster.server()
        } _: { one, onePort in
            try await withServer {
                configure(&$0)
                $0.adapter = cluster.server()
            } _: { two, twoPort in
                #expect(try await one.main.adapter.serverCount() == 2)
                try await body(one, onePort, two, twoPort)
            }
        }
        #expect(cluster.count == 0)
    }

    /// A server that has never sent anything hears the others: its adapter exists since its namespace does.
    @Test func broadcasts() async throws {
        try await withCluster { one, onePort, two, twoPort in
            two.main.onConnection { $0.join("room") }
            let here = try await join(onePort)
            let there = try await join(twoPort)
            one.emit("all", ["x": ByteBuffer(bytes: [1])])
            one.to("room").emit("room")
            one.local.emit("local")
            one.except(Room(try here.id())).emit("except")
            let socket = try #require(one.main.socket(id: try here.id()))
            socket.broadcast.emit("broadcast")
            #expect(try await here.eventsSoFar() == ["all", "local"])
            let all = try await there.expectEvent("all")
            #expect(all.attachment(all.object(0)?["x"]) == [1])
            #expect(try await there.eventsSoFar() == ["room", "except", "broadcast"])
        }
    }

    @Test func acknowledgements() async throws {
        try await withCluster { one, onePort, two, twoPort in
            let clients = [try await join(onePort), try await join(twoPort), try await join(twoPort)]
            async let answers: [Int] = one.timeout(.seconds(10)).emitWithAck("q")
            for (index, client) in clients.enumerated() {
                try client.acknowledge(try await client.nextEvent(), "\(index)")
            }
            #expect(try await answers.sorted() == [0, 1, 2])

            let error = try await withGrowingLimit("the answer of one") { limit -> BroadcastAckError? in
                let partial = Task { () -> [Int] in try await one.timeout(limit).emitWithAck("q") }
                // Nobody may be late for the next time.
                for client in [clients[0], clients[2]] { _ = try await client.nextEvent() }
                try clients[1].acknowledge(try await clients[1].nextEvent(), "1")
                do {
                    _ = try await partial.value
                    throw PeerError("all have answered")
                } catch let error as BroadcastAckError {
                    return error.answers.isEmpty ? nil : error
                }
            }
            #expect(error.answers == [1])
            #expect(error.missing == [try clients[0].id()])
            #expect(error.missingElsewhere == 1)
            try await eventually("nobody waits") {
                (one.main.sockets.values.map { $0 } + two.main.sockets.values).allSatisfy { $0.pendingAckCount == 0 }
            }
        }
    }

    @Test func socketsOfAllServers() async throws {
        try await withCluster { one, onePort, two, twoPort in
            two.main.onConnection { $0.data[.user] = User(name: "bob") }
            let here = try await join(onePort)
            let there = try await join(twoPort)
            let found = try await one.fetchSockets()
            #expect(Set(found.map(\.id)) == [try here.id(), try there.id()])
            #expect(try await one.local.allSockets() == [try here.id()])
            let remote = try #require(found.first { $0.id == (try? there.id()) })
            #expect(remote.data(.user) == User(name: "bob"))
            remote.join("far")
            #expect(two.main.local.hasMembers("far"))
            one.socketsJoin("both")
            #expect(one.main.local.hasMembers("both") && two.main.local.hasMembers("both"))
            one.socketsLeave("both")
            #expect(!one.main.local.hasMembers("both") && !two.main.local.hasMembers("both"))
            remote.emit("hi")
            remote.disconnect(close: true)
            _ = try await there.expectEvent("hi")
            #expect(try await there.waitForDisconnect() == "io server disconnect")
            one.disconnectSockets()
            try await here.waitForDisconnect()
        }
    }

    @Test func betweenServers() async throws {
        let recorder = Recorder()
        try await withCluster { one, _, two, _ in
            one.on("hello") { recorder.add("never") }
            two.on("hello") { (n: Int, text: String) in recorder.add("hello \(n) \(text)") }
            two.main.once("hello") { recorder.add("once") }
            let token = two.on("hello") { recorder.add("never") }
            token.cancel()
            two.on("async") { (n: Int) async in
                await Task.yield()
                recorder.add("async \(n)")
            }
            one.serverSideEmit("hello", 1, "x")
            one.main.serverSideEmit("hello", 2, "y")
            one.serverSideEmit("async", 3)
            #expect(Set(try await recorder.wait(count: 4)) == ["hello 1 x", "once", "hello 2 y", "async 3"])

            two.on("sum") { (a: Int, b: Int) in a + b }
            two.on("later") { (reply: AckReply) in reply("later", 2) }
            two.on("several") { Ack("first", "second") }
            two.on("nothing") {}
            #expect(try await one.serverSideEmitWithAck("sum", 1, 2).elements == [3])
            #expect(try await one.serverSideEmitWithAck("later").elements == ["later"])
            #expect(try await one.serverSideEmitWithAck("several").elements == ["first"])
            let none: ClusterAnswer<Int> = try await one.serverSideEmitWithAck("nothing")
            #expect(none.isEmpty)
        }
    }

    @Test func dynamicNamespaces() async throws {
        try await withCluster {
            $0.cleanupEmptyChildNamespaces = true
        } _: { one, onePort, two, twoPort in
            let parents = [one.of(/^\/d-\d$/), two.of(/^\/d-\d$/)]
            let here = try await join(onePort, "/d-1")
            let there = try await join(twoPort, "/d-1")
            parents[0].emit("all")
            _ = try await here.expectEvent("all", namespace: "/d-1")
            _ = try await there.expectEvent("all", namespace: "/d-1")
            await here.close()
            await there.close()
            // Their adapters go with them; those of the main namespaces stay.
            try await eventually("they are gone") { parents.allSatisfy { $0.children.isEmpty } }
        }
    }
}
