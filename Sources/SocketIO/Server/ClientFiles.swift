import EngineIO
import NIOCore
import SocketIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The files of the JavaScript client, read once when the server is made. Only these names are ever served, whatever a request
/// asks for.
enum ClientFiles {
    static let names = [
        "socket.io.js", "socket.io.js.map", "socket.io.min.js", "socket.io.min.js.map", "socket.io.msgpack.min.js",
        "socket.io.msgpack.min.js.map", "socket.io.esm.min.js", "socket.io.esm.min.js.map",
    ]

    /// Reads those of the names that exist in `directory`. Throws when there is none.
    static func load(_ directory: String) throws(SocketIOError) -> [String: EngineIOFile] {
        var files: [String: EngineIOFile] = [:]
        for name in self.names {
            guard let data = FileManager.default.contents(atPath: directory + "/" + name) else { continue }
            let type =
                name.hasSuffix(".map") ? "application/json; charset=utf-8" : "application/javascript; charset=utf-8"
            files[name] = EngineIOFile(contentType: type, etag: Self.etag(data), body: ByteBuffer(bytes: data))
        }
        guard !files.isEmpty else {
            throw SocketIOError(.missingClient, "no file of the JavaScript client (socket.io.js, …) in \(directory)")
        }
        return files
    }

    /// 64 bits of FNV-1a and the size: a change of the file changes it.
    private static func etag(_ data: Data) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in data { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return "\"" + String(hash, radix: 16) + "-" + String(data.count, radix: 16) + "\""
    }
}

extension SocketIOError.Code {
    /// The directory of the JavaScript client holds none of its files.
    public static let missingClient = Self(rawValue: "missing_client")
}
