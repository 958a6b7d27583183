import SocketIO
import TestSupport
import Testing

@Suite struct DisconnectTests {
    /// Writes down the end of each socket, with the rooms that it is in.
    private func record(_ io: SocketIOServer, _ recorder: Recorder, _ namespaces: [String] = ["/"]) {
        for name in namespaces {
            io.of(name).onConnection { socket in
                socket.join("room")
                socket.onDisconnecting { recorder.add("\(name) disconnecting \($0) \(socket.rooms.count)") }
                socket.onDisconnect { (reason: DisconnectReason) in
                    recorder.add("\(name) disconnect \(reason) \(socket.rooms.count)")
                }
                socket.onDisconnect { (reason: DisconnectReason) async in
                    await Task.yield()
                    recorder.add("\(name) async \(reason)")
                }
            }
        }
    }

    private func expect(
        _ recorder: Recorder, _ name: String, _ reason: DisconnectReason,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await recorder.wait(for: "\(name) async \(reason)")
        let own = recorder.all.filter { $0.hasPrefix("\(name) ") }
        #expect(
            own == [
                "\(name) disconnecting \(reason) 2", "\(name) disconnect \(reason) 0", "\(name) async \(reason)",
            ], sourceLocation: sourceLocation)
    }

    @Test(arguments: bothTransports) func byTheClient(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let client = try await join(port, "/", transport)
            let socket = try await onlySocket(io.main)
            try client.disconnect()
            try await self.expect(recorder, "/", .clientNamespaceDisconnect)
            #expect(socket.disconnected && !socket.connected)
            #expect(io.connectionCount == 1)
            try await client.connect()
            try await client.sync()
        }
    }

    @Test(arguments: bothTransports) func byTheServer(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let client = try await join(port, "/", transport)
            let socket = try await onlySocket(io.main)
            socket.emit("bye")
            socket.disconnect()
            socket.disconnect()
            socket.emit("never")
            io.emit("never")
            io.to("room").emit("never")
            #expect(!socket.connected)
            _ = try await client.expectEvent("bye")
            #expect(try await client.waitForDisconnect() == "io server disconnect")
            try await self.expect(recorder, "/", .serverNamespaceDisconnect)
            // What the client had sent before it knew is ignored, and it may come back.
            try client.emit("late")
            try await client.connect()
            #expect(try await client.eventsSoFar().isEmpty)
        }
    }

    @Test(arguments: bothTransports) func withTheConnection(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        let names = ["/", "/a", "/b"]
        try await withServer { io, port in
            self.record(io, recorder, names)
            let client = try await open(port, transport)
            for name in names { try await client.connect(name) }
            let socket = try await onlySocket(io.of("/a"))
            socket.emit("bye")
            socket.disconnect(close: true)
            _ = try await client.expectEvent("bye", namespace: "/a")
            for name in names { #expect(try await client.waitForDisconnect(name) == "io server disconnect") }
            for name in names { try await self.expect(recorder, name, .serverNamespaceDisconnect) }
            try await client.session.waitForClose()
            try await eventually("the connection is gone") { io.connectionCount == 0 }
        }
    }

    @Test(arguments: bothTransports) func clientCloses(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let client = try await join(port, "/", transport)
            try await client.sync()
            await client.close()
            try await self.expect(recorder, "/", .transportClose)
        }
    }

    @Test func connectionBreaks() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let client = try await join(port)
            try await client.sync()
            await client.session.abort()
            let end = try await recorder.wait(count: 3)
            #expect(end[0].hasPrefix("/ disconnecting transport "))
            #expect(end.count == 3)
        }
    }

    @Test(arguments: bothTransports) func pingTimeout(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        try await withServer {
            $0.engine.pingInterval = .milliseconds(2500)
            $0.engine.pingTimeout = .milliseconds(200)
        } _: { io, port in
            self.record(io, recorder)
            var options = EIOOptions(port: port, transport: transport)
            options.autoPong = false
            options.watchesHeartbeat = false
            _ = try await joinInTime(options)
            try await recorder.wait(for: "/ async ping timeout")
            #expect(recorder.all.first == "/ disconnecting ping timeout 2")
            #expect(recorder.all.allSatisfy { $0.contains("ping timeout") })
        }
    }

    /// A packet of the transport that is none.
    @Test func transportParseError() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let client = try await join(port, "/", .polling)
            try client.session.sendPacket("abc")
            try await self.expect(recorder, "/", .parseError)
        }
    }

    /// Over polling without a GET that waits, the connection can't be closed on the spot; the socket does not wait for it.
    @Test func forcedServerClose() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let http = HTTPClient1(port: port)
            let path = "/socket.io/?EIO=4&transport=polling"
            let opened = try await http.request("GET", path).text
            let sid = try EIOHandshake(json: String(opened.dropFirst())).sid
            _ = try await http.request("POST", "\(path)&sid=\(sid)", body: .text("40"))
            #expect(try await http.request("GET", "\(path)&sid=\(sid)").text.hasPrefix("40{"))
            // A second CONNECT, with the answer to a poll first, then the end.
            #expect(try await http.request("POST", "\(path)&sid=\(sid)", body: .text("40")).text == "ok")
            try await self.expect(recorder, "/", .forcedServerClose)
            #expect(try await http.request("GET", "\(path)&sid=\(sid)").text == "6\u{1E}1")
            await http.close()
        }
    }

    @Test(arguments: bothTransports) func serverShutsDown(_ transport: EIOOptions.Transport) async throws {
        let recorder = Recorder()
        let io = SocketIOServer()
        self.record(io, recorder)
        let port = try #require(try await io.start(port: 0).port)
        let client = try await join(port, "/", transport)
        io.emit("bye")
        await io.close(timeout: .seconds(60))
        // All handlers were called before `close` returned.
        #expect(
            recorder.all.prefix(2) == ["/ disconnecting server shutting down 2", "/ disconnect server shutting down 0"])
        _ = try await client.expectEvent("bye")
        try await client.session.waitForClose()
        #expect(client.protocolError == nil)
        expectEmpty(io)
    }

    /// After the end nothing sticks to a socket.
    @Test func nothingHappensAfterwards() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            self.record(io, recorder)
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            try client.disconnect()
            try await recorder.wait(count: 3)
            socket.join("a", "b")
            socket.leave("c")
            socket.onDisconnect { (_: DisconnectReason) in recorder.add("never") }
            socket.emit("x")
            socket.disconnect(close: false)
            #expect(socket.rooms.isEmpty)
            #expect(io.main.local.rooms.isEmpty)
            #expect(socket.eventNames.isEmpty)
            try await client.connect()
            #expect(try await client.eventsSoFar().isEmpty)
            #expect(recorder.all.count == 3)
        }
    }

    /// A client that leaves and joins in one go, while the server disconnects it, is joined anew.
    @Test func bothLeaveAtTheSameTime() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                recorder.add("connection")
                socket.on("kick") { socket.disconnect() }
                socket.onDisconnect { (reason: DisconnectReason) in recorder.add("\(reason)") }
            }
            let client = try await join(port)
            // In one TCP segment, hence in one read of the server.
            let frames = ["42[\"kick\"]", "41", "40"].flatMap { RawFrame(opcode: 1, payload: Array($0.utf8)).encoded() }
            try await client.session.webSocket?.connection.send(frames)
            #expect(try await recorder.wait(count: 3) == ["connection", "server namespace disconnect", "connection"])
            try await eventually("it has its new id") {
                client.sid() != nil && io.main.sockets[client.sid() ?? ""] != nil
            }
            try await client.sync()
        }
    }

    /// A binary event that comes just before the client's DISCONNECT is not delivered behind it.
    @Test func binaryEventBeforeTheEnd() async throws {
        let recorder = Recorder()
        try await withServer { io, port in
            io.main.onConnection { socket in
                socket.on("binary") { (_: SocketIOValue) in recorder.add("binary") }
                socket.onDisconnect { (_: DisconnectReason) in recorder.add("disconnect") }
            }
            let client = try await join(port)
            try client.emit("binary", SIOClient.placeholder(0), binary: [[1]])
            try client.disconnect()
            #expect(try await recorder.wait(count: 2) == ["binary", "disconnect"])
        }
    }
}
