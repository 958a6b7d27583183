import EngineIOCore
import NIOCore

/// What the answer to `GET /socket.io/?EIO=4&transport=polling` means.
enum HandshakeJudgement {
    enum Meaning: Sendable, Equatable {
        case session(Handshake)
        /// A server of Socket.IO 2, which speaks protocol 3 only.
        case oldServer
        /// There is a Socket.IO server, but not for this transport.
        case noPolling
        case none
    }

    static func meaning(_ answer: ProbeAnswer) -> Meaning {
        guard (200...299).contains(answer.status) else {
            return answer.engineError?.code == 0 ? .noPolling : .none
        }
        if let json = self.open(answer.body), let handshake = Handshake(json: json) { return .session(handshake) }
        return self.isProtocol3(answer.body) ? .oldServer : .none
    }

    /// The JSON of the packet that opens a session.
    static func open(_ body: ByteBuffer) -> ByteBuffer? {
        guard case .open(let json)? = try? EngineIOPacket.decode(text: body) else { return nil }
        return json
    }

    /// `97:0{"sid":…`, or the binary form of the same.
    static func isProtocol3(_ body: ByteBuffer) -> Bool {
        let bytes = body.readableBytesView
        if bytes.first == 0 { return bytes.prefix(24).firstRange(of: [0xFF, UInt8(ascii: "0")]) != nil }
        let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return !digits.isEmpty && bytes.dropFirst(digits.count).starts(with: ":0{".utf8)
    }

    static func judge(_ answer: ProbeAnswer, path: String) -> Finding {
        switch self.meaning(answer) {
        case .session(let handshake):
            let kept = answer.all("set-cookie").isEmpty ? "" : "; it sets \(Self.cookies(answer))"
            return .ok(.handshake, "session \(SafeText.escape(String(handshake.sid.prefix(32)))) over polling\(kept)")
        case .oldServer:
            return .failure(
                .handshake, "the server speaks protocol 3 only: it is Socket.IO 2 or older",
                "Update the server to Socket.IO 3 or newer, or use a client of version 2 (JavaScript 2.x, Java 1.x, Swift 15)."
            )
        case .noPolling:
            return .warning(
                .handshake, "the server does not offer polling (\(answer.excerpt))",
                "Clients must be told: `transports: [\"websocket\"]`; or allow polling at the server.")
        case .none:
            if (200...299).contains(answer.status) { return self.noServer(answer, path: path) }
            return RefusalJudgement.judge(.handshake, answer, path: path)
        }
    }

    static func judge(_ failure: WireFailure, isSecure: Bool) -> Finding {
        let advice =
            switch failure {
            case .notHTTP, .closed:
                isSecure
                    ? "Is it the right port? Something else than a web server seems to listen there."
                    : "If the server speaks TLS, write https:// in the URL; else: is it the right port?"
            case .timeout:
                """
                It takes the connection and does not answer: the program hangs, or a proxy waits for a server behind it that \
                is not there.
                """
            case .tls: "The server may want a client's certificate; this command has none."
            default: "Try again; if it stays so, look at the server's log."
            }
        return .failure(.handshake, "the request \(failure.words)", advice)
    }

    private static func noServer(_ answer: ProbeAnswer, path: String) -> Finding {
        let path = SafeText.escape(path)
        if answer.isPage {
            return .failure(
                .handshake, "a web page answers at \(path)\(answer.server): \(answer.excerpt)",
                """
                No Socket.IO server has this path. Set --path (in clients: `path`) to the server's, or have the proxy pass \
                \(path) on to it, before what serves the pages of a single-page application.
                """)
        }
        return .failure(
            .handshake, "what answers at \(path) is no Socket.IO server\(answer.server): \(answer.excerpt)",
            "Correct the port or --path; a plain WebSocket server is no Socket.IO server.")
    }

    private static func cookies(_ answer: ProbeAnswer) -> String {
        let names = answer.all("set-cookie").map { SafeText.escape(String($0.prefix { $0 != "=" && $0 != ";" })) }
        return names.count == 1 ? "the cookie \(names[0])" : "the cookies \(names.joined(separator: ", "))"
    }
}
