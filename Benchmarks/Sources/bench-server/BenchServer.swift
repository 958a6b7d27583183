import ArgumentParser
import Dispatch
import Foundation
import SocketIO
import SocketIORedis

/// A server for load generators. Its handlers do the whole work: arguments are decoded to Swift types and encoded anew.
///
/// | a client sends | the server does |
/// | --- | --- |
/// | `echo` with a text or binary data | emits `echo` with the same to that client |
/// | `echo-ack` with a text or binary data | acknowledges with the same |
/// | `join` with a room | joins it, then emits `joined` with the room to that client |
/// | `broadcast` with room, text and number | emits `msg` with text and number to the room |
@main
struct BenchServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-server",
        abstract: "A Socket.IO server for load generators."
    )

    @Option(help: "The port to listen on, on 127.0.0.1.")
    var port: Int = 3000

    @Option(help: "The number of event loops.")
    var threads: Int = 1

    @Option(help: "Joins this server and others with the same Redis, such as redis://127.0.0.1:6379.")
    var redis: String?

    @Option(help: "With --redis: which adapter.")
    var adapter: Adapter = .pubsub

    @Option(
        help: "Clients that lose their connection may come back within so many seconds and get what they have missed.")
    var recovery: Int?

    @Option(help: "With --adapter streams: about how many entries the stream holds.")
    var streamLength: Int = RedisStreamsAdapterOptions().maxLength

    @Flag(name: .customLong("allow-eio3"), help: "Serves clients of Socket.IO 2 too.")
    var allowEIO3 = false

    @Option(help: "How packets are written: default or msgpack.")
    var parser: Parser = .default

    @Flag(help: "Counts and times for metrics that go nowhere.")
    var metrics = false

    enum Parser: String, ExpressibleByArgument, CaseIterable {
        case `default`, msgpack
    }

    enum Adapter: String, ExpressibleByArgument, CaseIterable {
        case pubsub, sharded, streams

        func factory(_ redis: any RedisClient, streamLength: Int) -> AdapterFactory {
            switch self {
            case .pubsub: RedisAdapter.factory(redis)
            case .sharded: ShardedRedisAdapter.factory(redis)
            case .streams: RedisStreamsAdapter.factory(redis, options: .init(maxLength: streamLength))
            }
        }
    }

    func validate() throws {
        guard (0...65535).contains(self.port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard self.recovery.map({ (1...86_400).contains($0) }) ?? true else {
            throw ValidationError("--recovery must be from 1 to 86400")
        }
        guard (1...1024).contains(self.threads) else { throw ValidationError("--threads must be from 1 to 1024") }
    }

    func run() async throws {
        var configuration = SocketIOConfiguration(port: self.port)
        configuration.engine.eventLoopCount = self.threads
        configuration.engine.allowEIO3 = self.allowEIO3
        configuration.connectionStateRecovery = self.recovery.map {
            ConnectionStateRecovery(maxDisconnectionDuration: .seconds($0))
        }
        configuration.parser = self.parser == .msgpack ? .messagePack : .json
        if self.metrics { configuration.metrics = MetricsConfiguration() }
        if let url = self.redis {
            var connections = RESPConfiguration()
            connections.sharesConnection = self.adapter == .streams
            configuration.adapter = self.adapter.factory(
                try RESPClient(url: url, configuration: connections), streamLength: self.streamLength)
        }
        let io = SocketIOServer(configuration: configuration)
        io.onConnection { socket in
            socket.on("echo") { (payload: SocketIOValue) in socket.emit("echo", payload) }
            socket.on("echo-ack") { (payload: SocketIOValue) in payload }
            socket.on("join") { (room: String) in
                socket.join(Room(room))
                socket.emit("joined", room)
            }
            socket.on("broadcast") { (room: String, text: String, sequence: Int) in
                io.to(Room(room)).emit("msg", text, sequence)
            }
        }
        // SIGTERM closes it in order.
        let serving = Task { try await io.run() }
        signal(SIGTERM, SIG_IGN)
        let terminated = DispatchSource.makeSignalSource(signal: SIGTERM)
        terminated.setEventHandler { serving.cancel() }
        terminated.resume()
        try await serving.value
    }
}
