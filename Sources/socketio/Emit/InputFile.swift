import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Files whose bytes are sent.
enum InputFile {
    /// Redis takes more, but what waits to be sent is bounded.
    static let limit = 15 << 20

    /// The bytes of a file, or of standard input for `-`.
    ///
    /// - Throws: ``CommandFailure``.
    static func read(_ name: String) throws -> ByteBuffer {
        if name == "-" { return try Self.read(descriptor: 0, "standard input") }
        let descriptor = open(name, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(name) }
        defer { close(descriptor) }
        return try Self.read(descriptor: descriptor, name)
    }

    private static func read(descriptor: Int32, _ name: String) throws -> ByteBuffer {
        var bytes = ByteBuffer()
        var failure = false
        while true {
            let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
                #if canImport(Darwin)
                    let count = Darwin.read(descriptor, room.baseAddress, room.count)
                #elseif canImport(Glibc)
                    let count = Glibc.read(descriptor, room.baseAddress, room.count)
                #else
                    let count = Musl.read(descriptor, room.baseAddress, room.count)
                #endif
                failure = count < 0
                return max(0, count)
            }
            if failure, errno == EINTR { continue }
            guard !failure else { throw Self.failure(name) }
            guard count > 0 else { return bytes }
            guard bytes.readableBytes <= Self.limit else {
                throw CommandFailure("socketio: \(name): more than \(Self.limit >> 20) MiB")
            }
        }
    }

    private static func failure(_ name: String) -> CommandFailure {
        CommandFailure("socketio: \(name): \(String(cString: strerror(errno)))")
    }
}
