import BenchSupport
import CAllocationCounter

/// Something that is measured.
struct Subject {
    /// Unique: the limit of its allocations is found by it.
    let name: String
    /// Does it that many times.
    let body: (Int) throws -> Void
    /// Another library that does the same.
    var reference: Reference?
    /// Operations that one time of `body` stands for.
    var operations = 1

    struct Reference {
        let name: String
        let body: (Int) throws -> Void
    }
}

/// Keeps the compiler from leaving out what makes `value`.
@inline(never)
@_optimize(none)
func keep<T>(_ value: T) {}

enum AllocationCounter {
    /// A counter that does not count would pass everything.
    static func selfTest() throws {
        let before = allocation_count()
        for _ in 0..<100 { allocation_self_test(64) }
        guard allocation_count() - before == 100 else {
            throw CheckFailure("the allocation counter does not count on this system")
        }
    }

    /// Allocations per operation.
    static func count(_ operations: Int, _ body: (Int) throws -> Void) throws -> Double {
        let times = 1000
        try body(200)
        let before = allocation_count()
        try body(times)
        return Double(allocation_count() - before) / Double(times * operations)
    }
}
