import ArgumentParser
import Foundation
import Logging
import NIOPosix
import SocketIOClient
import SocketIORedis
import Synchronization

/// Clients with recovery at a cluster whose servers, Redis and connections are killed; `scripts/chaos` does that.
@main
struct ChaosClients: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos-clients",
        abstract: "Checks that clients of a cluster get every message once and in order, or are told of the gap.",
        discussion: """
            The servers are bench-servers on Redis Streams with recovery. Messages are sent by the servers, for a client, and by a \
            RedisEmitter. Connections are cut at random. Prints "started" when all clients are in their rooms, and at the end \
            what has become of the messages that are in the stream. Status 1: something was lost, came twice or out of order.
            """
    )

    @Option(help: "The ports of the servers on loopback, with commas.")
    var servers: String

    @Option(help: "The port of Redis on loopback.")
    var redis: Int

    @Option(help: "How many clients. Default 300.")
    var clients = 300

    @Option(help: "How many rooms; each client is in two. Default 20.")
    var rooms = 20

    @Option(help: "Messages in a second. Default 60.")
    var rate = 60

    @Option(help: "For how many seconds messages are sent. Default 60.")
    var seconds = 60

    @Option(help: "After how many seconds, on average, the connection of a client is cut. Default 10.")
    var life = 10

    func validate() throws {
        guard (1...5000).contains(self.clients), (1...10_000).contains(self.rooms), (1...100_000).contains(self.rate),
            (1...660).contains(self.seconds), (1...600).contains(self.life)
        else { throw ValidationError("a number is out of bounds") }
    }

    func run() async throws {
        let ports = self.servers.split(separator: ",").compactMap { Int($0) }
        let group = MultiThreadedEventLoopGroup.singleton
        let balancer = Balancer(ports: ports, group: group)
        let port = try await balancer.start()
        let quiet = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
        let redis = try RESPClient(url: "redis://127.0.0.1:\(self.redis)", logger: quiet)
        let emitter = RedisEmitter(
            redis, adapter: .streams(.init(maxLength: 10_000_000)), logger: quiet, onError: { _ in })
        let speaker = Peer(port: port, number: 1, rooms: [])
        let peers = (0..<self.clients).map { number in
            Peer(
                port: port, number: number,
                rooms: Array(Set(["room\(number % self.rooms)", "room\((number * 7 + 3) % self.rooms)"])))
        }
        try await Self.wait(60, "the clients are in their rooms") { peers.allSatisfy(\.isInRooms) }
        FileHandle.standardOutput.write(Data("started\n".utf8))

        let progress = Progress()
        let pause = Duration.milliseconds(max(1, self.life * 1000 / self.clients))
        let traffic = Traffic(rooms: self.rooms, rate: self.rate, seconds: self.seconds)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !progress.isOver.load(ordering: .relaxed) {
                    if balancer.cutOne() { progress.cuts.add(1, ordering: .relaxed) }
                    try? await Task.sleep(for: pause)
                }
            }
            group.addTask {
                await traffic.send(speaker.client, emitter)
                progress.isOver.store(true, ordering: .relaxed)
            }
        }

        // What was missed is still on its way.
        var truth: [String: [UInt64]] = [:]
        var verdict = Verdict(peers, truth)
        for _ in 0..<60 {
            try await Task.sleep(for: .seconds(1))
            guard let read = try? await Self.stream(redis) else { continue }
            let isQuiet = read == truth
            truth = read
            verdict = Verdict(peers, truth)
            if isQuiet, verdict.isGood { break }
        }
        self.report(verdict, truth, peers, cuts: progress.cuts.load(ordering: .relaxed))
        for peer in peers { await peer.client.disconnect() }
        if !verdict.isGood || peers.contains(where: { $0.state.withLock { $0.strange > 0 } }) { throw ExitCode.failure }
    }

    private func report(_ verdict: Verdict, _ truth: [String: [UInt64]], _ peers: [Peer], cuts: Int) {
        var (recovered, strange) = (0, 0)
        var gaps: [String: Int] = [:]
        for peer in peers {
            let state = peer.state.withLock { $0 }
            recovered += state.recovered
            strange += state.strange
            gaps.merge(state.gaps, uniquingKeysWith: +)
        }
        let reasons = gaps.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        print(
            """
            \(peers.count) clients, \(cuts) connections cut, \(truth.values.reduce(0) { $0 + $1.count }) messages, \
            \(verdict.deliveries) deliveries
            recovered \(recovered), gaps \(gaps.values.reduce(0, +))\(reasons.isEmpty ? "" : " (\(reasons))")
            lost \(verdict.lost), duplicated \(verdict.duplicated), out of order \(verdict.disordered), \
            not in the stream \(verdict.unknown), without offset \(strange), clients not back \(verdict.stuck)
            """)
    }

    /// The messages in the stream, by rooms.
    private static func stream(_ redis: RESPClient) async throws -> [String: [UInt64]] {
        var rooms: [String: [UInt64]] = [:]
        var from = "-"
        while true {
            let page = try await redis.send(RedisCommand("XRANGE", "socket.io", from, "+", "COUNT", "1000"))
            let entries = page.elements ?? []
            for entry in entries {
                guard let id = Position.parse(entry.elements?.first?.text),
                    let fields = entry.elements?.last?.elements,
                    let index = fields.firstIndex(where: { $0.text == "data" }), index + 1 < fields.count,
                    let text = fields[index + 1].text,
                    let message = try? JSONDecoder().decode(Message.self, from: Data(text.utf8)),
                    message.packet.data.first?.text == "msg", let room = message.opts.rooms.first
                else { continue }
                rooms[room, default: []].append(id)
            }
            guard entries.count == 1000, let last = entries.last?.elements?.first?.text else { return rooms }
            from = "(" + last
        }
    }

    private struct Message: Decodable {
        struct Packet: Decodable { var data: [Value] }
        struct Options: Decodable { var rooms: [String] }
        struct Value: Decodable {
            var text: String?

            init(from decoder: any Decoder) throws {
                self.text = try? decoder.singleValueContainer().decode(String.self)
            }
        }
        var packet: Packet
        var opts: Options
    }

    private static func wait(_ seconds: Int, _ what: String, _ condition: () -> Bool) async throws {
        for _ in 0..<seconds * 20 {
            if condition() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw ValidationError("not in time: \(what)")
    }
}

/// What is sent to the rooms: every other message by a server, for a client, the others by an emitter.
private struct Traffic: Sendable {
    var rooms: Int
    var rate: Int
    var seconds: Int

    func send(_ speaker: SocketIOClient, _ emitter: RedisEmitter) async {
        let began = ContinuousClock.now
        var number = 0
        while ContinuousClock.now - began < .seconds(self.seconds) {
            let due = Int((ContinuousClock.now - began) / .seconds(1) * Double(self.rate))
            while number < due {
                let room = "room\(Int.random(in: 0..<self.rooms))"
                if number % 2 == 0 {
                    speaker.emit("broadcast", room, "\(room)|server", number)
                } else {
                    emitter.to(Room(room)).emit("msg", "\(room)|emitter", number)
                }
                number += 1
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
        try? await emitter.flush()
    }
}

private final class Progress: Sendable {
    let isOver = Atomic(false)
    let cuts = Atomic(0)
}
