import ArgumentParser
import SocketIOClient

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Puts a load on a Socket.IO server and measures how it bears it.",
        discussion: """
            Without --mode, clients connect, which any server allows, and stay for --duration:

              socketio bench http://localhost:3000 --clients 1000 --ramp 200 --duration 30s

            With messages, the server has to answer them: --mode ack, an event that it acknowledges; echo, one to which it \
            sends an event to the same client; broadcast, one to which it sends an event to each member of the client's room.

              socketio bench http://localhost:3000 --mode ack --event echo-ack --rate 1000 --payload 128
              socketio bench http://localhost:3000 --mode echo --event echo --transports websocket
              socketio bench http://localhost:3000 --mode broadcast --rooms 10 --join-event join --event say --reply said

            An event is a name, and arguments in JSON behind it. In texts, {{payload}} is a text of --payload bytes, by which \
            replies are recognised wherever it stands in them; {{room}} and {{client}} are the client's room and number. A \
            name alone is sent with the payload, in --join-event with the room, for broadcast with both. Replies to an event \
            without {{payload}} belong to the messages of their client in turn.

              --join-event 'join {"name":"bot {{client}}","room":"{{room}}"}' --event 'say {"text":"{{payload}}"}'

            Messages are due at even intervals, however slow the server is, and a latency is measured from when its message \
            was due: a stall shows in all messages that it has held up. "sent late" is how late the generator was itself. \
            Clients that lose their connection do not come back. Latencies are in milliseconds, by an HDR histogram with \
            three digits; messages without a reply have none and are errors.

            Control-C ends it early, with the summary. Status 0: it ran, within the limits; 1: no client could connect, all \
            connections were lost, or nothing came back; 2: a limit was exceeded; 64: the options are wrong.
            """
    )

    @Argument(help: ArgumentHelp("http, https, ws or wss://host[:port][/namespace][?query].", valueName: "url"))
    var url: String

    @OptionGroup(title: "Load")
    var load: BenchLoadOptions

    @OptionGroup(title: "Messages")
    var messages: BenchMessageOptions

    @OptionGroup(title: "Limits, beyond which the status is 2")
    var limits: BenchLimitOptions

    @OptionGroup(title: "Connection")
    var connection: ConnectOptions

    @Option(
        help: ArgumentHelp(
            "Write the summary as JSON to this file; - is standard output, and the summary for people goes to standard error.",
            valueName: "file"))
    var json: String?

    @Flag(inversion: .prefixedNo, help: "A line a second on standard error. Default: in a terminal.")
    var progress: Bool?

    func validate() throws {
        try self.connection.check(url: self.url)
        _ = try self.plan()
    }

    /// - Throws: `ValidationError`, or ``CommandFailure`` for files in events.
    func plan() throws -> BenchPlan {
        try BenchPlan(
            url: self.url, load: self.load, messages: self.messages, limits: self.limits,
            transports: self.connection.transports?.transports)
    }

    func run() async throws {
        StandardStreams.ignoreBrokenPipes()
        let plan = try self.plan()
        try self.checkOpenFiles(plan)
        let file = try self.json.map { try OutputFile($0) }
        let base = try self.connection.configuration()
        let auth = try self.connection.authObject().map { ValueTemplate($0) }
        let (url, connection) = (self.url, self.connection)

        let interruption = BenchInterruption()
        let signals = await interruption.listen()
        defer { signals.cancel() }
        let run = BenchRun(plan, interruption: interruption, progress: BenchProgress(wanted: self.progress)) {
            number, change in
            var configuration = base
            configuration.reconnection.isEnabled = false
            configuration.closeTimeout = .seconds(1)
            if let auth { configuration.auth = SocketIOAuth(auth.fill(.init(client: number))) }
            change(&configuration)
            return connection.client(url, configuration)
        }
        let summary = await run.run()
        try file?.write(summary.json + "\n")
        if summary.counts.connected > 0 {
            let text = summary.lines.map { $0 + "\n" }.joined()
            _ = StandardStreams.write(text, toError: file?.isStandardOutput ?? false)
        }
        await run.end()
        switch summary.status {
        case .ok: return
        case .exceeded: throw ExitCode(2)
        case .failed: throw CommandFailure("socketio: \(SafeText.escape(summary.failure ?? ""))")
        }
    }

    /// A client over polling has two connections; one that changes to WebSocket, for a moment, three.
    private func checkOpenFiles(_ plan: BenchPlan) throws {
        let isWebSocket = self.connection.transports?.transports == [.websocket]
        let wanted = plan.clients * (isWebSocket ? 1 : 2) + 64
        guard let allowed = OpenFiles.raiseLimit(), wanted > allowed else { return }
        throw CommandFailure(
            "socketio: \(plan.clients) clients need \(wanted) open files, and the system allows \(allowed) (ulimit -n)")
    }
}
