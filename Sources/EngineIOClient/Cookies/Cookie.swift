/// A cookie as a server has set it.
struct Cookie: Sendable, Equatable {
    var name: String
    var value: String
    var path: String
    var isSecure = false
    /// Seconds since 1970; nil: as long as the program runs.
    var expires: Int64?

    /// Nil if there is no name, or more bytes than ``CookieJar`` keeps, or bytes that have no place in a header.
    init?(setCookie text: String, requestPath: String, now: Int64) {
        guard text.utf8.count <= CookieJar.maxBytes, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return nil
        }
        var parts = text.split(separator: ";", omittingEmptySubsequences: false)[...]
        guard let pair = parts.popFirst(), let equals = pair.firstIndex(of: "=") else { return nil }
        self.name = Self.trim(pair[..<equals])
        self.value = Self.trim(pair[pair.index(after: equals)...])
        guard !self.name.isEmpty else { return nil }
        self.path = Self.defaultPath(requestPath)
        var maxAge: Int64?
        for part in parts {
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let argument = pieces.count > 1 ? Self.trim(pieces[1]) : ""
            switch Self.trim(pieces[0]).lowercased() {
            case "path" where argument.hasPrefix("/"): self.path = argument
            case "secure": self.isSecure = true
            case "expires": self.expires = HTTPDate.parse(argument) ?? self.expires
            case "max-age": maxAge = Int64(argument) ?? maxAge
            default: break
            }
        }
        if let maxAge {
            let (end, overflow) = now.addingReportingOverflow(maxAge)
            self.expires = maxAge <= 0 ? Int64.min : (overflow ? Int64.max : end)
        }
    }

    func isExpired(now: Int64) -> Bool { self.expires.map { $0 <= now } ?? false }

    func matches(path: String) -> Bool {
        guard path.hasPrefix(self.path) else { return false }
        return path.utf8.count == self.path.utf8.count || self.path.hasSuffix("/")
            || path.utf8.dropFirst(self.path.utf8.count).first == UInt8(ascii: "/")
    }

    /// The folder of the request (RFC 6265 §5.1.4).
    private static func defaultPath(_ path: String) -> String {
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
