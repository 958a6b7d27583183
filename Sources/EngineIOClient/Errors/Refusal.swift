import EngineIOCore
import NIOCore
import NIOHTTP1

/// What it means when a server answers with something else than was asked for.
enum Refusal {
    /// What a server's text is cut to.
    private static let maxCharacters = 1000

    /// A status that is no success.
    static func status(_ answer: HTTPAnswer, url: EngineURL, path: String) -> EngineClientError {
        let status = Int(answer.head.status.code)
        let text = self.text(answer.body)
        let members = JSONObjectReader.read(answer.body) ?? [:]
        var said = text
        if case .string(let message)? = members["message"] { said = String(message.prefix(self.maxCharacters)) }
        var number: Int?
        if case .integer(let code)? = members["code"] { number = code }
        let (code, advice) = self.meaning(status, engineCode: number, said: said, answer.head.headers, path)
        let quote = said.isEmpty ? "" : ", saying: \(said)"
        return EngineClientError(
            code, "\(url.origin) has answered with status \(status)\(quote); \(advice)", status: status,
            serverMessage: said.isEmpty ? nil : said)
    }

    private static func meaning(
        _ status: Int, engineCode: Int?, said: String, _ headers: HTTPHeaders, _ path: String
    ) -> (EngineClientError.Code, String) {
        if status == 400 {
            // A WebSocket handshake is refused with the text alone.
            switch (engineCode, said) {
            case (0?, _), (nil, "Transport unknown"):
                return (.transportUnknown, "the server does not offer this transport; leave it out of `transports`")
            case (1?, _), (nil, "Session ID unknown"):
                return (
                    .sessionUnknown,
                    "the session has ended, or the request came to another server: behind a load balancer sessions must be sticky"
                )
            case (5?, _), (nil, "Unsupported protocol version"):
                return (.unsupportedProtocol, "the server does not speak protocol 4: it must be Socket.IO 3 or newer")
            default: break
            }
        }
        return switch status {
        case 300...399:
            (
                .redirected,
                "redirects are not followed, connect to \(headers.first(name: "location").map { self.cut($0) } ?? "the new place")"
            )
        case 401: (.unauthorized, "an Authorization header, a cookie or a query parameter is missing or wrong")
        case 403: (.forbidden, "the server, or what stands before it, does not let this client in")
        case 404: (.notFound, "is a Socket.IO server there, and is its path \(path)?")
        case 413: (.payloadTooLarge, "a message is larger than the server takes; it must send less or allow more there")
        case 500...599: (.serverUnavailable, "the server, or what stands before it, has trouble; try again later")
        default: (.unexpectedStatus, "a Socket.IO server does not answer so; is it the right port and path?")
        }
    }

    /// The first answer is no handshake.
    static func noHandshake(_ body: ByteBuffer, url: EngineURL) -> EngineClientError {
        let bytes = body.readableBytesView
        // `97:0{"sid":…`: the framing of protocol 3.
        let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        if !digits.isEmpty, bytes.dropFirst(digits.count).starts(with: ":0{".utf8) {
            return EngineClientError(
                .unsupportedProtocol,
                "\(url.origin) speaks protocol 3 only (Socket.IO 2); this client needs Socket.IO 3 or newer there")
        }
        let text = self.text(body)
        return EngineClientError(
            .notSocketIO,
            "what answers at \(url.origin) is no Socket.IO server; is it the right port and path? It says: \(text)",
            serverMessage: text)
    }

    /// What a body says, as one line.
    static func text(_ body: ByteBuffer) -> String {
        let bytes = body.readableBytesView.prefix(4 * self.maxCharacters).map { $0 < 0x20 ? 0x20 : $0 }
        return self.cut(String(decoding: bytes, as: UTF8.self))
    }

    private static func cut(_ text: String) -> String { String(text.prefix(self.maxCharacters)) }
}
