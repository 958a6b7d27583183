import SocketIO
import Synchronization
import TestSupport

/// What happened on the server, in order.
final class Recorder: Sendable {
    private let entries = Awaited<[String]>([]) { "\($0)" }

    func add(_ entry: String) { self.entries.update { $0.append(entry) } }

    /// All entries so far.
    var all: [String] { self.entries.value }

    /// Number of entries equal to `entry`.
    func count(_ entry: String) -> Int { self.all.count { $0 == entry } }

    /// Waits until there are so many entries, and returns all.
    @discardableResult
    func wait(count: Int, timeout: Duration = defaultTimeout) async throws -> [String] {
        try await self.entries.wait("\(count) entries", timeout: timeout) { $0.count >= count ? $0 : nil }
    }

    /// Waits for an entry.
    func wait(for entry: String, timeout: Duration = defaultTimeout) async throws {
        try await self.entries.wait("the entry \"\(entry)\"", timeout: timeout) { $0.contains(entry) ? true : nil }
    }
}

/// The errors that reached a hook, in order.
final class ErrorRecorder: Sendable {
    private let errors = Awaited<[any Error]>([]) { "\($0)" }

    /// To be set as a hook.
    var hook: @Sendable (any Error, Socket?) -> Void { { error, _ in self.add(error) } }

    func add(_ error: any Error) { self.errors.update { $0.append(error) } }

    var all: [any Error] { self.errors.value }

    /// The codes of those that are errors of this package.
    var codes: [SocketIOError.Code] { self.all.compactMap { ($0 as? SocketIOError)?.code } }

    @discardableResult
    func wait(count: Int, timeout: Duration = defaultTimeout) async throws -> [any Error] {
        try await self.errors.wait("\(count) errors", timeout: timeout) { $0.count >= count ? $0 : nil }
    }
}

/// A door that is closed until it is opened; a handler can be kept waiting at it.
final class Door: Sendable {
    private let isOpen = Awaited<Bool>(false)

    func open() { self.isOpen.update { $0 = true } }

    func pass() async throws { try await self.isOpen.wait("the door to open") { $0 ? true : nil } }
}

/// An error of a handler.
struct TestError: Error, Equatable {
    var text: String

    init(_ text: String) { self.text = text }
}

/// Something that happens once, for tasks that go on until then.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { self.value.load(ordering: .relaxed) }

    func set() { self.value.store(true, ordering: .relaxed) }
}
