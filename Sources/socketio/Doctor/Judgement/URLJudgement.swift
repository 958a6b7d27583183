import EngineIOClient

/// What the URL says, before anybody is asked.
enum URLJudgement {
    struct Place: Sendable, Equatable {
        /// Ends with a slash.
        var path: String
        var namespace: String
        var finding: Finding
    }

    static func judge(_ text: String, _ url: EngineURL, path: String?, namespace: String?) -> Place {
        let hasScheme = text.contains("://")
        let isEndpoint = Self.isEndpoint(url.path)
        let own = url.path.count > 1 && !isEndpoint ? url.path : "/"
        let name = namespace.map { $0.hasPrefix("/") ? $0 : "/" + $0 } ?? own
        let endpoint = Self.slashed(path ?? (isEndpoint ? url.path : "/socket.io/"))
        let place =
            "\(SafeText.escape(url.origin)), path \(SafeText.escape(endpoint)), namespace \(SafeText.escape(name))"
        var finding = Finding.ok(.url, place)
        if isEndpoint {
            finding = .warning(
                .url, place + "; the URL ends with the path",
                """
                Clients take a URL's path for the namespace: leave \(SafeText.escape(url.path)) out of it, and set the \
                `path` option if it is not /socket.io/.
                """)
        } else if !hasScheme {
            finding = .warning(
                .url, place + "; without a scheme, http is taken",
                "Write https:// in front if the server speaks TLS, else http://.")
        }
        return Place(path: endpoint, namespace: name, finding: finding)
    }

    private static func isEndpoint(_ path: String) -> Bool {
        let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
        return trimmed.hasSuffix("/socket.io") || trimmed.hasSuffix("/engine.io")
    }

    private static func slashed(_ path: String) -> String { path.hasSuffix("/") ? path : path + "/" }
}
