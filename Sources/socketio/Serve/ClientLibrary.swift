#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where the chat page takes the JavaScript client from.
struct ClientLibrary: Sendable {
    /// The directory whose files the server hands out; nil for the CDN.
    let directory: String?

    static let version = "4.8.1"
    static let fileName = "socket.io.min.js"
    static let integrity = "sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+"
    static let npmDirectory = "node_modules/socket.io-client/dist"

    /// Throws when the directory that was asked for is not there or holds no client.
    init(directory: String?) throws {
        guard let directory else {
            self.directory = Self.holdsClient(Self.npmDirectory) ? Self.npmDirectory : nil
            return
        }
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory else {
            throw CommandFailure("socketio: --client-dir: there is no directory \(directory)")
        }
        guard Self.holdsClient(directory) else {
            throw CommandFailure("socketio: --client-dir: there is no \(Self.fileName) in \(directory)")
        }
        self.directory = directory
    }

    private static func holdsClient(_ directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/" + self.fileName)
    }

    var source: String {
        self.directory == nil
            ? "https://cdn.socket.io/\(Self.version)/\(Self.fileName)" : "/socket.io/\(Self.fileName)"
    }

    /// The attributes with which a browser checks the file. One's own copy may be of another version.
    var attributes: String {
        self.directory == nil ? "integrity=\"\(Self.integrity)\" crossorigin=\"anonymous\"" : ""
    }

    var description: String { self.directory.map { "from \($0)" } ?? "from \(self.source)" }
}
