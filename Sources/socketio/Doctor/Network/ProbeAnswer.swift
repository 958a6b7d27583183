import EngineIOCore
import NIOCore

/// What a server, or what stands before it, has answered to a request.
struct ProbeAnswer: Sendable, Equatable {
    struct Header: Sendable, Equatable {
        /// In lower case.
        var name: String
        var value: String
    }

    var status: Int
    var headers: [Header] = []
    /// The first 64 KiB of it.
    var body = ByteBuffer()
    var time = Duration.zero

    init(status: Int, headers: [(String, String)] = [], body: String = "") {
        self.status = status
        self.headers = headers.map { Header(name: $0.0.lowercased(), value: $0.1) }
        self.body = ByteBuffer(string: body)
    }

    func all(_ name: String) -> [String] { self.headers.filter { $0.name == name }.map(\.value) }

    func first(_ name: String) -> String? { self.headers.first { $0.name == name }?.value }

    /// The elements of a list, which may be spread over several lines; in lower case.
    func list(_ name: String) -> [String] {
        self.all(name).flatMap { $0.split(separator: ",") }.map { element in
            element.filter { $0 != " " && $0 != "\t" }.lowercased()
        }
    }

    var text: String { String(buffer: self.body) }

    /// One short line of what it says, fit for a terminal.
    var excerpt: String {
        let text = self.engineError?.message ?? (self.isPage ? Self.title(of: self.text) : nil) ?? self.text
        let line = text.split(whereSeparator: { $0.isWhitespace || $0.isNewline }).joined(separator: " ")
        return SafeText.quote(line.count > 80 ? line.prefix(80) + "…" : line)
    }

    var isPage: Bool {
        let start = self.text.drop { $0.isWhitespace }.prefix(15).lowercased()
        return self.first("content-type")?.lowercased().hasPrefix("text/html") ?? false
            || start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
    }

    private static func title(of page: String) -> String? {
        let lower = page.lowercased()
        // Characters that change their length with their case would move the places.
        guard lower.utf8.count == page.utf8.count else { return nil }
        for (start, end) in [("<title>", "</title>"), ("<pre>", "</pre>"), ("<h1>", "</h1>")] {
            guard let from = lower.firstRange(of: start), let to = lower[from.upperBound...].firstRange(of: end)
            else { continue }
            let offsets = (
                lower.utf8.distance(from: lower.startIndex, to: from.upperBound),
                lower.utf8.distance(from: lower.startIndex, to: to.lowerBound)
            )
            let bytes = Array(page.utf8)[offsets.0..<offsets.1]
            return String(decoding: bytes, as: UTF8.self)
        }
        return nil
    }

    /// The program that says it has answered, in parentheses behind a space; empty if none does.
    var server: String {
        guard let name = self.first("server"), !name.isEmpty else { return "" }
        return " (from \(SafeText.escape(String(name.prefix(40)))))"
    }

    /// The error of Engine.IO in the body: `{"code":1,"message":"Session ID unknown"}`.
    var engineError: (code: Int?, message: String)? {
        let members = JSONObjectReader.read(self.body) ?? [:]
        if case .string(let message)? = members["message"] {
            guard case .integer(let code)? = members["code"] else { return (nil, message) }
            return (code, message)
        }
        let text = self.text.drop { $0 == "\"" }.prefix { $0 != "\"" }
        // A refused WebSocket has the text alone, and python-engineio says what it says as one JSON string.
        let codes = [
            "Transport unknown": 0, "Session ID unknown": 1, "Bad handshake method": 2, "Bad request": 3,
            "Forbidden": 4, "Unsupported protocol version": 5,
        ]
        if text.contains("unsupported version") { return (5, String(text)) }
        if text.hasPrefix("Invalid session") { return (1, String(text)) }
        if text.hasPrefix("Invalid transport") { return (0, String(text)) }
        guard let code = codes[String(text)] else { return nil }
        return (code, String(text))
    }
}
