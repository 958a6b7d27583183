import ArgumentParser
import NIOCore
import NIOPosix

/// The cost of SwiftNIO alone under Socket.IO's traffic: what no server that is built on it can undercut.
///
/// It answers what `bench-server` answers, byte for byte as far as a load generator can tell, but understands none of it: it
/// looks at the first bytes of a message and copies the rest. No JSON, no handlers, no limits, no heartbeats, no errors.
@main
struct NIOFloor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nio-floor",
        abstract: "The least that a SwiftNIO server can cost under Socket.IO's traffic. For load generators only."
    )

    @Option(help: "The port to listen on, on 127.0.0.1.")
    var port: Int = 3000

    @Option(help: "The number of event loops.")
    var threads: Int = 1

    @Flag(help: "Write to the sockets past SwiftNIO, which then gets only what the system does not take at once.")
    var directWrites = false

    func validate() throws {
        guard (0...65535).contains(self.port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard (1...64).contains(self.threads) else { throw ValidationError("--threads must be from 1 to 64") }
    }

    func run() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: self.threads)
        let loops = group.makeIterator().enumerated().map {
            LoopState(index: $0.offset, eventLoop: $0.element, writesDirectly: self.directWrites)
        }
        for loop in loops { loop.peers = loops.filter { $0 !== loop } }
        let listener = try ServerBootstrap(group: group)
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
            .bind(host: "127.0.0.1", port: self.port).wait()
        try listener.closeFuture.wait()
    }
}
