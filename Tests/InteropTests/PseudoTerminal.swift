import Foundation
import TestSupport

/// A program that believes to be in a terminal of 80 columns. It is killed, by its id, when the last reference goes.
final class PseudoTerminal: Sendable {
    private struct State: Sendable {
        var output: [UInt8] = []
        var hasEnded = false
        var status: Int32?

        var text: String { String(decoding: self.output, as: UTF8.self) }
    }

    private let pid: pid_t
    /// Closed when neither this nor the thread that reads it needs it: its number is another file's then.
    private let side: Descriptor
    private let state = Awaited(State()) { "status: \($0.status.map { "\($0)" } ?? "running"), output:\n\($0.text)\n" }

    private final class Descriptor: Sendable {
        let number: Int32

        init(_ number: Int32) { self.number = number }

        deinit { close(self.number) }
    }

    init(_ program: String, _ arguments: [String], environment: [String: String]) throws {
        var (descriptor, other): (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        guard openpty(&descriptor, &other, nil, nil, &size) == 0 else { throw PeerError("openpty: errno \(errno)") }
        for end in [descriptor, other] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(other) }
        let side = Descriptor(descriptor)
        self.side = side
        self.pid = try Self.spawn(program, arguments, environment, terminal: other)
        let (state, pid) = (self.state, self.pid)
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            while true {
                // It is an error when the program has closed the other side.
                let count = read(side.number, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { break }
                state.update { $0.output += buffer[..<count] }
            }
            state.update { $0.hasEnded = true }
        }
        Thread.detachNewThread {
            var info = siginfo_t()
            while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
            state.update { state in
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                state.status = status
            }
        }
    }

    deinit {
        self.signal(SIGKILL)
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String], terminal: Int32
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
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_adddup2(&actions, terminal, descriptor)
        }
        var flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        // Connections and ports of other tests are not for it: they would stay open when those close them.
        #if canImport(Darwin)
            flags |= Int16(POSIX_SPAWN_CLOEXEC_DEFAULT)
        #else
            closeOtherDescriptors(&actions)
        #endif
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, flags)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid = pid_t()
        let result = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard result == 0 else { throw PeerError("\(program): errno \(result)") }
        return pid
    }

    /// What was written so far, as it came.
    var output: String { self.state.value.text }

    /// How many bytes were written so far.
    var count: Int { self.state.value.output.count }

    func type(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard write(self.side.number, bytes, bytes.count) == bytes.count else { throw PeerError("errno \(errno)") }
    }

    /// Waits for a text that is written after the first so many bytes.
    func wait(for text: String, after first: Int = 0, timeout: Duration = .seconds(30)) async throws {
        _ = try await self.state.wait("\"\(text)\"", timeout: timeout) { state in
            if String(decoding: state.output.dropFirst(first), as: UTF8.self).contains(text) { return true }
            if state.hasEnded { throw PeerError("the program ended without \"\(text)\":\n\(state.text)") }
            return nil
        }
    }

    func signal(_ number: Int32) {
        // Under the lock: the id is the program's until its end was noticed.
        self.state.update { if $0.status == nil { _ = kill(self.pid, number) } }
    }

    /// The status of the program, as of `waitpid`.
    func waitForExit(timeout: Duration = .seconds(30)) async throws -> Int32 {
        try await self.state.wait("the end of the program", timeout: timeout) { $0.status }
    }

    /// Whether lines are edited by the system and what is typed is shown, as a shell wants to find it.
    var isAsShellsWantIt: Bool {
        var attributes = termios()
        guard tcgetattr(self.side.number, &attributes) == 0 else { return false }
        let flags = tcflag_t(ICANON | ECHO | ISIG)
        return attributes.c_lflag & flags == flags
    }
}
