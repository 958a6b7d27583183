import ArgumentParser
import SocketIOClient

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "A client in the terminal: shows what a server sends, and sends what is typed.",
        discussion: """
            The URL's path is the namespace, as in JavaScript's io():

              socketio connect http://localhost:3000
              socketio connect https://example.com/chat --auth '{"token":"abc"}'

            A line that is typed is an event: its name, and arguments in JSON with spaces between them. A name with spaces \
            stands in double quotes, @file is the bytes of a file. With ? before it, the answer is printed. /help lists the \
            rest.

              > join {"name":"Ann","room":"lobby"}
              > ? "some event" 1 true "two words" [1,2] @photo.jpg

            What comes is printed the same way, behind the time and < (received), > (sent) or = (an answer). Rooms are the \
            server's affair: clients are not told of them. Binary data is printed as {"$binary":"base64","bytes":3}, control \
            characters in texts as \\u001b. There are no colours without a terminal, or with NO_COLOR set.

            Without a terminal, lines are read from standard input, from the first connection on. Its end does not end the \
            command. /quit does when the answers that were asked for have come, SIGINT and SIGTERM do at once, with status 0 \
            if everything was sent and answered. Events and answers go to standard output, all else to standard error. A \
            connection that is lost is made again, but not one that the server refuses or ends. --json prints lines like

              {"time":"2026-01-31T12:00:00.000Z","type":"event","event":"a","args":[1]}

            with the type ack for answers.

            For scripts, with --emit or --once: it sends, waits for what is asked for, prints that alone and ends.

              URL=http://localhost:3000
              socketio connect $URL --emit 'echo "hi"' --once echo --timeout 5s --json
              socketio connect $URL --emit 'join {"name":"Ann","room":"lobby"}' --ack

            Status 0: it has worked; 1: no connection, refused, not what was waited for, or not all was sent and answered; \
            64: the options are wrong.
            """
    )

    @Argument(help: ArgumentHelp("http, https, ws or wss://host[:port][/namespace][?query].", valueName: "url"))
    var url: String

    @OptionGroup(title: "Connection")
    var connection: ConnectOptions

    @Flag(help: "Want an answer to every event that is sent, and print it.")
    var ack = false

    @Flag(help: "Print events and answers as JSON, one object per line.")
    var json = false

    @Option(help: ArgumentHelp("Send this once connected, and end. May be repeated.", valueName: "'event args'"))
    var emit: [String] = []

    @Option(
        help: ArgumentHelp("Wait for an event of this name, print it and end. May be repeated.", valueName: "event"))
    var once: [String] = []

    @Flag(help: "With --emit: go on as without it.")
    var stay = false

    @Option(
        help: ArgumentHelp(
            "With --emit or --once: how long all of it may take. Otherwise: how long to wait for an answer; default 10s.",
            valueName: "time"))
    var timeout: Interval?

    func validate() throws {
        try self.connection.check(url: self.url)
        _ = try self.events()
        if self.stay, !self.once.isEmpty { throw ValidationError("--stay and --once exclude each other.") }
        if self.stay, self.emit.isEmpty { throw ValidationError("--stay needs --emit.") }
    }

    private func events() throws -> [TypedEvent] {
        try self.emit.map { line in
            do throws(LineFault) { return try TypedEvent.parse(line) } catch {
                throw ValidationError("--emit:\n" + error.pointing(into: line).joined(separator: "\n"))
            }
        }
    }

    func run() async throws {
        StandardStreams.ignoreBrokenPipes()
        let isSingleShot = !self.stay && !(self.emit.isEmpty && self.once.isEmpty)
        let environment = ProcessInfo.processInfo.environment
        let palette = Palette.choose(isTerminal: StandardStreams.isOutputTerminal, environment: environment)
        let printer = TranscriptPrinter(palette: palette, isJSON: self.json, timeOfDay: WallClock.timeOfDay)
        let hasEditor = !isSingleShot && environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } ?? false
        let console = Console(printer, terminal: hasEditor ? Terminal() : nil)

        let emissions = try self.events().map { event in
            SingleShot.Emission(
                name: event.name, values: try event.values(standardInput: isSingleShot),
                wantsAnswer: event.wantsAnswer || self.ack)
        }
        let mailbox = Mailbox()
        let client = try self.connection.client(self.url, reconnects: !isSingleShot) { error in
            mailbox.post(.failure(ConnectErrors.explain(error, namespace: "")))
        }
        mailbox.listen(to: client)
        let sender = Sender(client, mailbox, answerTimeout: self.timeout?.duration ?? .seconds(10))
        if isSingleShot {
            let shot = SingleShot(emissions: emissions, awaited: Set(self.once), timeout: self.timeout?.duration)
            try await shot.run(client, mailbox, sender, console)
        } else {
            let session = InteractiveSession(client, mailbox, sender, console, wantsAnswers: self.ack)
            try await session.run(sending: emissions)
        }
    }
}
