import ArgumentParser
import Logging
import NIOCore
import SocketIORedis

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct EmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emit",
        abstract: "Sends an event to the clients of a cluster over Redis.",
        discussion: """
            An argument that is JSON is that: 1, true, '{"a":1}'. Anything else is a text: hello. What begins like an object, an \
            array or a quoted text must be one. Arguments that begin with a dash come behind --.

            In texts, {{now}} is the time (2026-01-31T12:00:00.000Z), {{millis}} the milliseconds since 1970, {{n}} which time it is \
            sent, from 1; alone, the latter two are numbers. --literal leaves them as they are.

              socketio emit --redis redis://127.0.0.1 --namespace /chat --room lobby "some event" '{"a":1}'
              socketio emit --redis redis://127.0.0.1 --every 5s time '{{now}}'
              socketio emit --redis redis://127.0.0.1 --binary photo.jpg photo "the harbour"
              socketio emit --redis redis://127.0.0.1 --ack --timeout 3s question "Are you there?"

            It says how many servers have listened. Status 0: Redis has it, and with --ack all have answered; 1: it could not be \
            sent; 2: with --ack, not all have answered in time; 64: the options are wrong.
            """
    )

    @Option(
        help: "Where Redis is: redis://[user[:password]@]host[:port][/database], rediss:// with TLS, or unix:///path.")
    var redis: String

    @OptionGroup(title: "Cluster")
    var cluster: AdapterOptions

    @Option(help: "The namespace; the slash may be left out.")
    var namespace: String = "/"

    @Option(help: "Only sockets in this room, or in any of several. May be repeated.")
    var room: [String] = []

    @Option(help: "But for sockets in this room. May be repeated.")
    var except: [String] = []

    @Flag(help: "Drop it for clients that can't be written to at once.")
    var volatile = false

    @Option(
        help: ArgumentHelp(
            "A file whose bytes are a further argument, behind the others; - is standard input. May be repeated.",
            valueName: "file"))
    var binary: [String] = []

    @Option(help: ArgumentHelp("Send it again and again: 500ms, 5s, 2m, 1h.", valueName: "time"))
    var every: Interval?

    @Option(help: ArgumentHelp("With --every: how many times. Default: until it is interrupted.", valueName: "n"))
    var count: Int?

    @Flag(help: "Wait for acknowledgements of the clients, and print the first argument of each as a line of JSON.")
    var ack = false

    @Option(help: ArgumentHelp("How long Redis, and with --ack the clients, may take.", valueName: "time"))
    var timeout = Interval(seconds: 5)

    @Flag(help: "Leave {{…}} in texts as it is.")
    var literal = false

    @Argument(help: "The name of the event.")
    var event: String

    @Argument(help: "Its arguments.")
    var arguments: [String] = []

    func validate() throws {
        if self.count != nil, self.every == nil { throw ValidationError("--count needs --every.") }
        if let count = self.count, count < 1 { throw ValidationError("--count must be at least 1.") }
        if self.binary.filter({ $0 == "-" }).count > 1 {
            throw ValidationError("--binary - can be given once: standard input is read to its end.")
        }
        for argument in self.arguments {
            do { _ = try ShellValue.parse(argument) } catch { throw ValidationError("\(error)") }
        }
    }

    func run() async throws {
        var logger = Logger(label: "socketio") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .critical
        var values = try self.arguments.map { try ShellValue.parse($0) }
        for name in self.binary { values.append(.binary(try InputFile.read(name))) }
        let client = try await RedisConnection.open(self.redis, logger: logger)
        let emitter = RedisEmitter(client, adapter: self.cluster.forEmitter, logger: logger)
        do {
            let isComplete = try await self.send(values, to: self.target(emitter), over: client)
            emitter.close()
            await client.shutdown()
            if !isComplete { throw ExitCode(2) }
        } catch let error as ExitCode {
            throw error
        } catch {
            emitter.close()
            await client.shutdown()
            throw error
        }
    }

    private func target(_ emitter: RedisEmitter) -> RedisEmitterOperator {
        var target = emitter.of(self.namespace).timeout(self.timeout.duration)
        target = target.to(self.room.map { Room($0) }).except(self.except.map { Room($0) })
        return self.volatile ? target.volatile : target
    }

    /// Sends it as often as is wanted; returns whether all have answered each time.
    private func send(_ values: [SocketIOValue], to target: RedisEmitterOperator, over client: RESPClient) async throws
        -> Bool
    {
        let begin = ContinuousClock.now
        var isComplete = true
        var number = 1
        while true {
            let date = Date().timeIntervalSince1970 * 1000
            let placeholders = Placeholders(milliseconds: Int64(date.rounded(.down)), number: number)
            let arguments = self.literal ? values : values.map { ShellValue.fill($0, placeholders) }
            do {
                // What waits in the client would all be sent when Redis comes back.
                guard client.state.isUsable else { throw RedisError(.connectionLost, "Redis is not there: not sent") }
                if self.ack {
                    if try await !self.ask(arguments, target) { isComplete = false }
                } else {
                    try await self.publish(arguments, target)
                }
            } catch {
                // What did not work once may work again; what never did is wrong.
                guard number > 1 else { throw CommandFailure("socketio: \(Self.explain(error))") }
                printError("socketio: \(Self.explain(error))")
                isComplete = isComplete && !self.ack
            }
            flushStandardOutput()
            guard let every = self.every, self.count.map({ number < $0 }) ?? true else { return isComplete }
            try await Task.sleep(until: begin + every.duration * number, clock: .continuous)
            number += 1
        }
    }

    private func publish(_ arguments: [SocketIOValue], _ target: RedisEmitterOperator) async throws {
        if let servers = try await target.publish(self.event, arguments: arguments) {
            print("\(Self.servers(servers)) listened")
        } else {
            // Servers read the stream when they can.
            print("written to the stream; \(Self.servers(try await target.serverCount())) read it")
        }
    }

    /// Returns whether all have answered.
    private func ask(_ arguments: [SocketIOValue], _ target: RedisEmitterOperator) async throws -> Bool {
        do {
            let answers = try await target.emitWithAck(self.event, arguments: arguments)
            for answer in answers { print(answer) }
            flushStandardOutput()
            printError(answers.count == 1 ? "1 answer" : "\(answers.count) answers")
            return true
        } catch let error as BroadcastAckError {
            for answer in error.answers { print(answer) }
            flushStandardOutput()
            printError("socketio: \(error)")
            return false
        }
    }

    private static func servers(_ count: Int) -> String {
        switch count {
        case 0: "no server"
        case 1: "1 server"
        default: "\(count) servers"
        }
    }

    private static func explain(_ error: any Error) -> String {
        if let error = error as? RedisError { return error.message }
        guard let error = error as? SocketIOError else { return "\(error)" }
        guard let cause = error.cause else { return error.message }
        return "\(error.message): \((cause as? RedisError)?.message ?? "\(cause)")"
    }
}
