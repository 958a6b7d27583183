import ArgumentParser
import EngineIOClient
import Logging
import NIOCore
import NIOSSL
import SocketIOClient

/// `Name: value`.
struct HeaderOption: ExpressibleByArgument, Equatable {
    let name: String
    let value: String

    init?(argument: String) {
        guard let colon = argument.firstIndex(of: ":") else { return nil }
        let name = argument[..<colon]
        var value = argument[argument.index(after: colon)...]
        while let first = value.first, first == " " { value.removeFirst() }
        let token = "!#$%&'*+-.^_`|~".utf8
        func isToken(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || token.contains(byte)
        }
        guard !name.isEmpty, name.utf8.allSatisfy(isToken) else { return nil }
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
        self.name = String(name)
        self.value = String(value)
    }
}

/// `name=value`.
struct QueryOption: ExpressibleByArgument, Equatable {
    let name: String
    let value: String

    init?(argument: String) {
        guard let sign = argument.firstIndex(of: "="), sign > argument.startIndex else { return nil }
        self.name = String(argument[..<sign])
        self.value = String(argument[argument.index(after: sign)...])
    }
}

/// `polling,websocket`.
struct TransportsOption: ExpressibleByArgument, Equatable {
    let transports: [SocketIOClientConfiguration.Transport]

    init?(argument: String) {
        var transports: [SocketIOClientConfiguration.Transport] = []
        for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
            guard let transport = SocketIOClientConfiguration.Transport(rawValue: String(name)),
                !transports.contains(transport)
            else { return nil }
            transports.append(transport)
        }
        self.transports = transports
    }
}

/// Where to connect, and how.
struct ConnectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The namespace, instead of the URL's path; the slash may be left out.", valueName: "name"))
    var namespace: String?

    @Option(
        help: ArgumentHelp(
            """
            What to show the server when joining: an object, '{"token":"abc"}', or @file for one that no list of processes \
            shows.
            """,
            valueName: "json"))
    var auth: String?

    @Option(help: ArgumentHelp("A header of every request. May be repeated for others.", valueName: "'Name: value'"))
    var header: [HeaderOption] = []

    @Option(
        help: ArgumentHelp("A query parameter of every request. May be repeated for others.", valueName: "name=value"))
    var query: [QueryOption] = []

    @Option(
        help: ArgumentHelp(
            "The transports in the order in which they are tried: polling,websocket (the default), websocket, polling.",
            valueName: "list"))
    var transports: TransportsOption?

    @Option(help: "How packets are written, as the server does: default, or msgpack for socket.io-msgpack-parser.")
    var parser: ParserOption = .default

    @Option(help: ArgumentHelp("Where on the server Socket.IO answers.", valueName: "path"))
    var path: String = "/socket.io/"

    @Option(help: ArgumentHelp("A PEM file with authorities to trust beside those of the system.", valueName: "file"))
    var ca: String?

    @Flag(help: "Trust any certificate, for tests with a server of one's own.")
    var insecure = false

    /// - Throws: `ValidationError`.
    func check(url: String) throws {
        let parsed: EngineURL
        do { parsed = try EngineURL(url) } catch { throw ValidationError(SafeText.escape(error.message)) }
        if self.namespace != nil, parsed.path.count > 1 {
            throw ValidationError("The URL names the namespace \(parsed.path): leave out --namespace or the path.")
        }
        guard self.path.hasPrefix("/") else { throw ValidationError("--path must begin with a slash.") }
        if let auth = self.auth, !auth.hasPrefix("@") { _ = try Self.object(auth) }
        try Self.checkOnce("--header", self.header.map { ($0.name, key: $0.name.lowercased()) })
        try Self.checkOnce("--query", self.query.map { ($0.name, key: $0.name) })
    }

    private static func checkOnce(_ option: String, _ names: [(String, key: String)]) throws {
        var keys: Set<String> = []
        for (name, key) in names where !keys.insert(key).inserted {
            throw ValidationError("\(option) gives \(SafeText.quote(name)) a second value; it can have one only.")
        }
    }

    static func object(_ text: String) throws -> SocketIOValue {
        let bytes = Array(text.utf8)
        do throws(LineFault) {
            let end = try JSONProbe.end(ofValueAt: 0, in: bytes)
            if let rest = bytes[end...].firstIndex(where: { !(9...13).contains($0) && $0 != 32 }) {
                throw LineFault(rest, "nothing may follow the object")
            }
        } catch {
            throw ValidationError("--auth is no JSON:\n" + error.pointing(into: text).joined(separator: "\n"))
        }
        guard var reader = try? ArgumentReader(checking: ByteBuffer(string: "[\(text)]")),
            let value = try? reader.nextValue(), value.objectValue != nil
        else { throw ValidationError("--auth must be an object, such as '{\"token\":\"abc\"}'.") }
        return value
    }

    /// A client that does not connect yet, on a connection of its own.
    ///
    /// - Throws: ``CommandFailure`` for files that can't be read, `ValidationError`.
    func client(_ url: String, reconnects: Bool, onError: @escaping @Sendable (any Error) -> Void) throws
        -> SocketIOClient
    {
        var configuration = try self.configuration()
        configuration.reconnection.isEnabled = reconnects
        configuration.onError = onError
        if let auth = try self.authObject() { configuration.auth = SocketIOAuth(auth) }
        return self.client(url, configuration)
    }

    /// All but `auth`.
    ///
    /// - Throws: ``CommandFailure`` for files that can't be read.
    func configuration() throws -> SocketIOClientConfiguration {
        var configuration = SocketIOClientConfiguration()
        configuration.path = self.path
        configuration.parser = self.parser.choice
        for query in self.query { configuration.query[query.name] = query.value }
        for header in self.header { configuration.extraHeaders[header.name] = header.value }
        if let transports = self.transports { configuration.transports = transports.transports }
        configuration.tls = try self.tls()
        configuration.forceNew = true
        configuration.autoConnect = false
        configuration.closeTimeout = .seconds(3)
        configuration.logger = Logger(label: "socketio") { _ in SwiftLogNoOpLogHandler() }
        return configuration
    }

    /// - Throws: ``CommandFailure`` for a file that can't be read, `ValidationError`.
    func authObject() throws -> SocketIOValue? {
        guard let auth = self.auth else { return nil }
        let isFile = auth.hasPrefix("@")
        return try Self.object(isFile ? String(buffer: try InputFile.read(String(auth.dropFirst()))) : auth)
    }

    func client(_ url: String, _ configuration: SocketIOClientConfiguration) -> SocketIOClient {
        let client = SocketIOClient(url, configuration: configuration)
        guard let name = self.namespace.map({ $0.hasPrefix("/") ? $0 : "/" + $0 }), name != client.namespace else {
            return client
        }
        return client.of(name)
    }

    private func tls() throws -> TLSConfiguration? {
        guard self.insecure || self.ca != nil else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if self.insecure { tls.certificateVerification = .none }
        if let file = self.ca {
            do { tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(file))] } catch {
                throw CommandFailure("socketio: --ca: no certificates can be read from \(file)")
            }
        }
        return tls
    }
}
