import Foundation

/// A program started with `posix_spawn`, and the ends of the pipes that it writes to.
///
/// Not `Foundation.Process`: on Linux its way to find the open descriptors reads behind the end of a buffer, which
/// crashes when there are more than about 1,350 of them. Tests with many clients have more.
struct SpawnedProcess {
    let pid: pid_t
    /// To be read and closed by `readAll`.
    let output: Int32
    let error: Int32

    /// No other program may be started between the making of a pipe and the marking of its ends.
    private static let lock = NSLock()

    init(
        _ executable: String, _ arguments: [String], environment: [String: String], directory: String?
    ) throws {
        Self.lock.lock()
        defer { Self.lock.unlock() }
        let (output, error) = (try Self.pipe(), try Self.pipe())
        let environment = environment.map { "\($0)=\($1)" }
        let spawned = Result {
            // Not every system can start a program in another directory.
            guard let directory else {
                return try Self.spawn(executable, arguments, environment, output.write, error.write)
            }
            let moved = ["-c", "cd \"$0\" && exec \"$@\"", directory, executable] + arguments
            return try Self.spawn("/bin/sh", moved, environment, output.write, error.write)
        }
        close(output.write)
        close(error.write)
        if case .failure = spawned {
            close(output.read)
            close(error.read)
        }
        self.pid = try spawned.get()
        self.output = output.read
        self.error = error.read
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Foundation.pipe(&ends) == 0 else { throw PeerError("pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String], _ output: Int32, _ error: Int32
    ) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, error, 2)
        var flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        // Connections and ports of other tests are not for it: they would stay open when those close them.
        #if canImport(Darwin)
            flags |= Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #else
            closeOtherDescriptors(&actions)
        #endif
        // A program inherits the signal mask of the thread that starts it, and threads of Dispatch block SIGTERM.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, flags)
        var pid = pid_t()
        let result = Self.withCStrings([program] + arguments) { arguments in
            Self.withCStrings(environment) { environment in
                posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
            }
        }
        guard result == 0 else { throw PeerError("\(program): errno \(result)") }
        return pid
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }

    /// Reads a descriptor to its end, which is an empty slice, and closes it.
    static func readAll(_ descriptor: Int32, _ receive: (ArraySlice<UInt8>) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            receive(buffer[..<count])
        }
        close(descriptor)
        receive([])
    }

    /// Waits for the end of a child, which keeps its id.
    static func waitForEnd(_ pid: pid_t) {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Takes note of the end of a child that has ended; its id is free afterwards.
    static func reap(_ pid: pid_t) -> ServerProcess.Status {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .signaled(signal)
    }
}
