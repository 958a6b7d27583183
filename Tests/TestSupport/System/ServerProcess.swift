import Foundation

/// A program that a test runs beside itself.
///
/// It is killed, by its id, when the last reference goes.
package final class ServerProcess: Sendable {
    /// How a program ended.
    package enum Status: Sendable, Equatable {
        /// It returned this code.
        case exited(Int32)
        /// A signal ended it.
        case signaled(Int32)
    }

    /// The two outputs of a program.
    package enum Stream: Int, Sendable {
        /// Standard output.
        case output
        /// Standard error.
        case error
    }

    /// A line of output, without its end.
    package struct Line: Sendable, Equatable {
        /// Where it was written.
        package let stream: Stream
        /// The line.
        package let text: String
    }

    private struct State: Sendable {
        var lines: [Line] = []
        var partial: [[UInt8]] = [[], []]
        var openStreams = 2
        var status: Status?

        mutating func receive(_ bytes: ArraySlice<UInt8>, on stream: Stream) {
            if bytes.isEmpty {
                openStreams -= 1
                flush(stream)
            }
            for byte in bytes {
                if byte == 0x0A {
                    flush(stream, evenIfEmpty: true)
                } else {
                    partial[stream.rawValue].append(byte)
                }
            }
        }

        private mutating func flush(_ stream: Stream, evenIfEmpty: Bool = false) {
            let bytes = partial[stream.rawValue]
            guard evenIfEmpty || !bytes.isEmpty else { return }
            lines.append(Line(stream: stream, text: String(decoding: bytes, as: UTF8.self)))
            partial[stream.rawValue] = []
        }
    }

    /// Process id.
    package let pid: Int32
    private let state: Awaited<State>

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - executable: path of the program.
    ///   - environment: variables added to those of this process.
    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        directory: String? = nil
    ) throws {
        let state = Awaited(State()) { state in
            let last = state.lines.suffix(15).map(\.text).joined(separator: "\n")
            return "status: \(state.status.map { "\($0)" } ?? "running"), last output:\n\(last)\n"
        }
        let spawned = try SpawnedProcess(
            executable, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            directory: directory)
        let pid = spawned.pid
        for (stream, descriptor) in [(Stream.output, spawned.output), (.error, spawned.error)] {
            Thread.detachNewThread {
                SpawnedProcess.readAll(descriptor) { bytes in state.update { $0.receive(bytes, on: stream) } }
            }
        }
        Thread.detachNewThread {
            SpawnedProcess.waitForEnd(pid)
            // Under the lock: the id may belong to another from then on.
            state.update { $0.status = SpawnedProcess.reap(pid) }
        }
        self.pid = pid
        self.state = state
    }

    deinit {
        signal(SIGKILL)
    }

    // MARK: Output

    /// The lines written so far, in the order in which they were read.
    package var lines: [Line] { state.update { $0.lines } }

    /// All lines of a program that has ended or is going to end.
    package func allLines(timeout: Duration = defaultTimeout) async throws -> [Line] {
        try await state.wait("the end of the output", timeout: timeout) { $0.openStreams == 0 ? $0.lines : nil }
    }

    /// Waits for a line that satisfies a condition, also one written before.
    ///
    /// - Parameter first: number of lines not to look at.
    /// - Throws: `PeerError` when the program ended without it, `TimeoutError`.
    package func waitForLine(
        _ what: String = "a line", after first: Int = 0, timeout: Duration = defaultTimeout,
        where isWanted: @escaping @Sendable (Line) -> Bool
    ) async throws -> String {
        try await state.wait(what, timeout: timeout) { state in
            if let line = state.lines.dropFirst(first).first(where: isWanted) { return line.text }
            guard let status = state.status, state.openStreams == 0 else { return nil }
            let last = state.lines.suffix(15).map(\.text).joined(separator: "\n")
            throw PeerError("the program ended (\(status)) without \(what):\n\(last)")
        }
    }

    /// Waits for a line that contains a text.
    package func waitForLine(
        containing text: String, after first: Int = 0, timeout: Duration = defaultTimeout
    ) async throws -> String {
        try await waitForLine("a line with \"\(text)\"", after: first, timeout: timeout) { $0.text.contains(text) }
    }

    // MARK: Ending

    /// How the program ended, nil while it runs.
    package var status: Status? { state.update { $0.status } }

    /// Sends a signal, `SIGSTOP` and `SIGCONT` too; nothing when the program has ended.
    package func signal(_ number: Int32) {
        // Under the lock: the id belongs to the program only until its end was noticed.
        state.update { state in
            if state.status == nil { _ = Foundation.kill(pid, number) }
        }
    }

    /// Asks the program to end (SIGTERM).
    package func terminate() {
        signal(SIGTERM)
    }

    /// Waits for the end of the program.
    @discardableResult
    package func waitForExit(timeout: Duration = defaultTimeout) async throws -> Status {
        try await state.wait("the end of process \(self.pid)", timeout: timeout) { $0.status }
    }

    /// Ends the program: SIGTERM, and SIGKILL if it is still there at the deadline.
    @discardableResult
    package func stop(timeout: Duration = defaultTimeout) async throws -> Status {
        terminate()
        if let status = try? await waitForExit(timeout: timeout) { return status }
        signal(SIGKILL)
        return try await waitForExit()
    }
}
