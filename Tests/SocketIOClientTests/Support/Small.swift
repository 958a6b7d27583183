import SocketIOClient
import Synchronization

/// Counts from 1.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    func next() -> Int { self.value.add(1, ordering: .relaxed).newValue }
    var count: Int { self.value.load(ordering: .relaxed) }
}

final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { self.value.load(ordering: .relaxed) }
    func set(_ isSet: Bool = true) { self.value.store(isSet, ordering: .relaxed) }
}

extension SocketIOClient {
    /// The `disconnect()` that waits for nothing, for tests that could wait.
    func leave() { self.disconnect() }
}
