import ArgumentParser
import NIOCore
import NIOPosix

/// The cost of SwiftNIO alone under Socket.IO's traffic: what no server that is built on it can undercut.
///
/// It answers what `bench-server` answers, byte for byte as far as a load generator can tell, but understands none of it: it
/// looks at the first bytes of a message and copies the rest. No JSON, no handlers, no limits, no heartbeats, no errors.
@main
struct NIOFloor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nio-floor",
        abstract: "The least that a SwiftNIO server can cost under Socket.IO's traffic. For load generators only."
    )

    @Option(help: "The port to listen on, on 127.0.0.1.")
    var port: Int = 3000

    @Option(help: "The number of event loops.")
    var threads: Int = 1

    func validate() throws {
        guard (0...65535).contains(self.port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard (1...64).contains(self.threads) else { throw ValidationError("--threads must be from 1 to 64") }
    }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: self.threads)
        let loops = group.makeIterator().enumerated().map { LoopState(index: $0.offset, eventLoop: $0.element) }
        for loop in loops { loop.peers = loops.filter { $0 !== loop } }
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Accepts are batched as reads are.
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else { return }
                    try loop.configure(channel)
                }
            }
            .bind(host: "127.0.0.1", port: self.port).get()
        try await listener.closeFuture.get()
    }
}
