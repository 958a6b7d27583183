import EngineIOCore

/// The address of a server: `http`, `https`, `ws` or `wss`.
package struct EngineURL: Sendable {
    /// Whether TLS is spoken.
    package var isSecure: Bool
    /// A name or an address, without brackets.
    package var host: String
    package var port: Int
    /// What follows the host up to the query, as it was written; empty or beginning with a slash.
    package var path: String
    /// Decoded, in the order in which it was written.
    package var query: [(String, String)]

    package init(isSecure: Bool, host: String, port: Int, path: String = "", query: [(String, String)] = []) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }

    /// Without a scheme, `http` is meant; without a port, that of the scheme. A fragment is ignored.
    package init(_ text: String) throws(EngineClientError) {
        var rest = text[...]
        var scheme = "http"
        if let end = text.range(ofASCII: "://") {
            scheme = text[..<end.lowerBound].lowercased()
            rest = text[end.upperBound...]
        }
        switch scheme {
        case "http", "ws": self.isSecure = false
        case "https", "wss": self.isSecure = true
        default:
            throw Self.invalid(text, "the scheme must be http, https, ws or wss")
        }
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        self.query = []
        if let mark = rest.firstIndex(of: "?") {
            self.query = QueryParameters(uri: String(rest[mark...])).pairs.map { ($0.key, $0.value) }
            rest = rest[..<mark]
        }
        self.path = ""
        if let slash = rest.firstIndex(of: "/") {
            self.path = String(rest[slash...])
            rest = rest[..<slash]
        }
        guard !rest.contains("@") else {
            throw Self.invalid(text, "user and password do not belong here; send an Authorization header or `auth`")
        }
        (self.host, self.port) = try Self.authority(rest, of: text, defaultPort: self.isSecure ? 443 : 80)
    }

    private static func authority(
        _ authority: Substring, of text: String, defaultPort: Int
    ) throws(EngineClientError) -> (String, Int) {
        var host = authority
        var portText: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw Self.invalid(text, "a bracket is open") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let behind = authority[authority.index(after: end)...]
            guard behind.isEmpty || behind.first == ":" else { throw Self.invalid(text, "no port behind the bracket") }
            portText = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            portText = authority[authority.index(after: colon)...]
            guard portText?.contains(":") != true else {
                throw Self.invalid(text, "an IPv6 address is written in brackets")
            }
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Self.invalid(text, "there is no host")
        }
        guard let portText, !portText.isEmpty else { return (String(host), defaultPort) }
        guard let port = Int(portText), (1...65535).contains(port) else {
            throw Self.invalid(text, "the port must be a number up to 65535")
        }
        return (String(host), port)
    }

    private static func invalid(_ text: String, _ why: String) -> EngineClientError {
        EngineClientError(.invalidConfiguration, "the URL \"\(text)\" can't be used: \(why)")
    }

    /// As the `Host` header has it: the port only if it is not that of the scheme.
    package var authority: String {
        // A zone is meaningful on this machine only.
        let host = self.host.contains(":") ? "[\(self.host.prefix { $0 != "%" })]" : self.host
        return self.port == (self.isSecure ? 443 : 80) ? host : "\(host):\(self.port)"
    }

    /// For messages: `https://example.com`.
    package var origin: String { (self.isSecure ? "https://" : "http://") + self.authority }
}

extension String {
    fileprivate func range(ofASCII needle: StaticString) -> Range<Index>? {
        let count = needle.utf8CodeUnitCount
        let bytes = UnsafeBufferPointer(start: needle.utf8Start, count: count)
        var start = self.utf8.startIndex
        while let end = self.utf8.index(start, offsetBy: count, limitedBy: self.utf8.endIndex) {
            if self.utf8[start..<end].elementsEqual(bytes) { return start..<end }
            start = self.utf8.index(after: start)
        }
        return nil
    }
}
