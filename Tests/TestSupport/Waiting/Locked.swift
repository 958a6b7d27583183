import Foundation

/// A value under a lock of POSIX threads.
///
/// Not `Mutex`, which on Linux is made of futexes that the thread sanitizer does not know: it takes every value under
/// one for a data race.
final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    /// Touched with the lock only.
    private var value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// Reads or changes the value; `body` must not come back to this object.
    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
