#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file that is written at the end and opened at the beginning, when there is still time to say that it can't be.
struct OutputFile: Sendable {
    private let name: String
    private let descriptor: Int32

    /// - Parameter name: `-` for standard output.
    /// - Throws: ``CommandFailure``.
    init(_ name: String) throws {
        self.name = name
        guard name != "-" else {
            self.descriptor = STDOUT_FILENO
            return
        }
        self.descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else { throw Self.failure(name) }
    }

    var isStandardOutput: Bool { self.descriptor == STDOUT_FILENO }

    /// - Throws: ``CommandFailure``.
    func write(_ text: String) throws {
        guard StandardStreams.write(text, to: self.descriptor) else { throw Self.failure(self.name) }
    }

    private static func failure(_ name: String) -> CommandFailure {
        CommandFailure("socketio: \(name): \(String(cString: strerror(errno)))")
    }
}
