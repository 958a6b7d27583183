import ArgumentParser
import EngineIOClient
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what is wrong with a Socket.IO server, as clients see it, and how to mend it.",
        discussion: """
            The URL's path is the namespace, as in JavaScript's io(). Any server will do, in whatever language.

              socketio doctor https://example.com
              socketio doctor https://example.com/admin --auth '{"token":"abc"}' --origin https://app.example.com

            It looks at, one after the other: the URL, DNS, TCP, TLS, the handshake over polling, versions, the parameters \
            of the session, sticky sessions (requests of one session over connections of their own), WebSocket, the \
            upgrade from polling, CORS for the page of --origin, joining the namespace, the server's ping, and the time of a round \
            trip. What can't be looked at because of what was found before is skipped.

            Status 0: all is well, perhaps with warnings; 1: something is wrong; 64: the options are wrong.
            """
    )

    @Argument(help: ArgumentHelp("http, https, ws or wss://host[:port][/namespace][?query].", valueName: "url"))
    var url: String

    @Option(help: ArgumentHelp("Where on the server Socket.IO answers. Default /socket.io/.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("A page's origin, to look at CORS for it: https://app.example.com.", valueName: "url"))
    var origin: String?

    @Option(
        help: ArgumentHelp("The namespace, instead of the URL's path; the slash may be left out.", valueName: "name"))
    var namespace: String?

    @Option(help: ArgumentHelp("What to show the server when joining: an object, or @file.", valueName: "json"))
    var auth: String?

    @Option(help: ArgumentHelp("A header of every request. May be repeated for others.", valueName: "'Name: value'"))
    var header: [HeaderOption] = []

    @Option(help: ArgumentHelp("A PEM file with authorities to trust beside those of the system.", valueName: "file"))
    var ca: String?

    @Flag(help: "Go on with a certificate that is not trusted.")
    var insecure = false

    @Flag(help: "Wait for the server's ping, usually 25 seconds. Without this, only if it comes within 5.")
    var ping = false

    @Option(help: ArgumentHelp("How long each request may take.", valueName: "time"))
    var timeout = Interval(seconds: 10)

    @Flag(help: "Print one JSON object.")
    var json = false

    private static let reservedHeaders: Set<String> = [
        "connection", "upgrade", "content-length", "transfer-encoding", "content-type", "origin",
    ]

    func validate() throws {
        let parsed: EngineURL
        do { parsed = try EngineURL(self.url) } catch { throw ValidationError(SafeText.escape(error.message)) }
        if self.namespace != nil, parsed.path.count > 1 {
            throw ValidationError(
                "The URL names the namespace \(SafeText.escape(parsed.path)): leave out one of the two.")
        }
        if let path = self.path, !path.hasPrefix("/") || !path.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) {
            throw ValidationError("--path must begin with a slash, and have no spaces.")
        }
        if let origin = self.origin, (try? EngineURL(origin)) == nil || !origin.contains("://") {
            throw ValidationError("--origin must look like https://app.example.com.")
        }
        for header in self.header
        where Self.reservedHeaders.contains(header.name.lowercased())
            || header.name.lowercased().hasPrefix("sec-websocket-")
        {
            throw ValidationError("--header: \(header.name) is the protocol's own.")
        }
        if let auth = self.auth, !auth.hasPrefix("@") { _ = try ConnectOptions.object(auth) }
    }

    func run() async throws {
        StandardStreams.ignoreBrokenPipes()
        let environment = ProcessInfo.processInfo.environment
        let palette = Palette.choose(isTerminal: StandardStreams.isOutputTerminal, environment: environment)
        let report = Report(palette: palette)
        let auth = try self.auth.map { auth in
            let isFile = auth.hasPrefix("@")
            return try ConnectOptions.object(
                isFile ? String(buffer: try InputFile.read(String(auth.dropFirst()))) : auth)
        }
        var examination = Examination(
            options: Examination.Options(
                url: self.url, path: self.path, namespace: self.namespace, origin: self.origin,
                auth: auth.map { ValuePrinter().text($0) }, headers: self.header.map { ($0.name, $0.value) },
                authorities: self.ca, isInsecure: self.insecure, waitsForPing: self.ping,
                timeout: self.timeout.duration),
            onFinding: { finding in
                guard !self.json else { return }
                for line in report.lines(finding) { _ = StandardStreams.write(line + "\n") }
            })
        await examination.run()
        let findings = examination.findings
        _ = StandardStreams.write(
            (self.json ? report.json(self.url, findings) : "\n" + report.summary(findings)) + "\n")
        if !Report.isWell(findings) { throw ExitCode.failure }
    }
}
