import SocketIO
import Synchronization
import TestSupport
import Testing

/// Calls back into the API when it is released, from wherever that happens.
private final class Reentrant: Codable, Sendable {
    private let action: (@Sendable () -> Void)?

    init(_ action: @escaping @Sendable () -> Void) { self.action = action }

    init(from decoder: any Decoder) throws { self.action = nil }

    func encode(to encoder: any Encoder) throws {}

    func touch() {}

    deinit { self.action?() }
}

@Suite struct ReentrancyTests {
    /// Whatever is displaced or removed is released outside the locks.
    @Test func deinitMayCallBack() async throws {
        let count = Atomic<Int>(0)
        try await withServer { io, port in
            let client = try await join(port)
            let socket = try await onlySocket(io.main)
            /// An object whose end uses all that has a lock.
            func reentrant() -> Reentrant {
                Reentrant { [weak socket] in
                    count.wrappingAdd(1, ordering: .relaxed)
                    guard let socket else { return }
                    socket.data[.score] = 1
                    _ = socket.data.snapshot
                    socket.on("x") {}
                    socket.removeAllListeners("x")
                    socket.join("r")
                    socket.leave("r")
                    _ = socket.rooms
                    socket.emit("x")
                    io.emit("x")
                    _ = socket.eventNames
                    _ = io.namespaces
                    _ = io.connectionCount
                    _ = socket.connection.sockets
                    _ = socket.connected
                }
            }
            let key = SocketDataKey<Reentrant>("reentrant")
            socket.data[key] = reentrant()
            socket.data[key] = reentrant()
            socket.data[key] = nil
            #expect(count.load(ordering: .relaxed) == 2)

            func listener() -> @Sendable () throws -> Void {
                let object = reentrant()
                return { object.touch() }
            }
            socket.on("a", listener()).cancel()
            socket.on("b", listener())
            socket.removeAllListeners("b")
            socket.on("c", listener())
            socket.removeAllListeners()
            socket.once("d", listener())
            try client.emit("d")
            try await eventually("once is released") { count.load(ordering: .relaxed) == 6 }
            let any = reentrant()
            func addAny(_ object: Reentrant) { socket.onAny { _, _ in object.touch() }.cancel() }
            addAny(any)
            addAny(reentrant())
            socket.onAny { [object = reentrant()] _, _ in object.touch() }
            socket.offAny()
            socket.onAnyOutgoing { [object = reentrant()] _, _ in object.touch() }
            socket.offAnyOutgoing()
            #expect(count.load(ordering: .relaxed) == 9)

            // What the socket holds at its end.
            socket.on("e", listener())
            socket.onDisconnect { [object = reentrant()] (_: DisconnectReason) in object.touch() }
            socket.onDisconnecting { [object = reentrant()] _ in object.touch() }
            socket.use { [object = reentrant()] _ in object.touch() }
            socket.data[key] = reentrant()
            let waiting = Task { [object = reentrant()] in
                _ = try? await socket.emitWithAck("q", as: Int.self)
                object.touch()
            }
            try await eventually("it waits") { socket.pendingAckCount == 1 }
            try client.disconnect()
            await waiting.value
            try await eventually("all but the data are released") { count.load(ordering: .relaxed) == 14 }
            _ = any
            // Its data go with it, and not before they were counted.
            withExtendedLifetime(socket) {}
        }
        try await eventually("the data are released too") { count.load(ordering: .relaxed) >= 15 }
    }

    /// Every hook may use the whole API.
    @Test func hooksMayCallBack() async throws {
        let recorder = Recorder()
        try await withServer { configuration in
            configuration.onError = { _, socket in
                socket?.emit("error")
                socket?.join("errors")
                recorder.add("error")
            }
        } _: { io, port in
            io.onNewNamespace { namespace in
                _ = io.of("/from the hook")
                namespace.emit("x")
                recorder.add(namespace.name)
            }
            io.main.onConnection { socket in
                io.of("/made").emit("x")
                socket.onAnyOutgoing { event, _ in
                    if event == "a" { socket.emit("b") }
                }
                socket.onAny { event, _ in
                    socket.offAny()
                    socket.emit("a")
                    throw TestError(event)
                }
                socket.onDisconnecting { _ in
                    socket.disconnect(close: true)
                    socket.leave("errors")
                    io.disconnectSockets()
                }
                socket.onDisconnect { (_: DisconnectReason) in io.to("errors").emit("gone") }
            }
            let client = try await join(port)
            try client.emit("x")
            #expect(try await client.eventsSoFar() == ["b", "a", "error"])
            try client.disconnect()
            try await client.session.waitForClose()
            #expect(Set(recorder.all) == ["/made", "/from the hook", "error"])
        }
    }
}
