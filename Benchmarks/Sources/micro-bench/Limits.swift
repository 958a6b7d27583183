import BenchSupport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The most allocations per operation that are accepted: lines of a number, white space and the name of a subject. Empty lines
/// and those that begin with `#` say nothing.
struct Limits {
    private let path: String
    private var limits: [String: Double] = [:]

    init(path: String) throws {
        self.path = path
        guard let data = FileManager.default.contents(atPath: path) else { throw CheckFailure("can't read \(path)") }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, let limit = Double(parts[0]) else { throw CheckFailure("\(path): \"\(line)\"?") }
            let name = String(parts[1].drop { $0 == " " })
            guard self.limits.updateValue(limit, forKey: name) == nil else {
                throw CheckFailure("\(path) has two limits for \"\(name)\"")
            }
        }
    }

    /// Counts and prints; returns whether all is within the limits. With `isComplete`, every limit must have its subject.
    func check(_ subjects: [Subject], isComplete: Bool) throws -> Bool {
        var isWithin = true
        var unused = self.limits
        for subject in subjects {
            let count = try AllocationCounter.count(subject.operations, subject.body)
            // Counters of other threads, such as a tick of the timing wheel, may add a few in a thousand.
            let rounded = (count * 10).rounded() / 10
            let verdict: String
            if let limit = unused.removeValue(forKey: subject.name) {
                verdict =
                    rounded > limit ? "OVER THE LIMIT" : (rounded <= limit - 1 ? "ok, the limit can be lowered" : "ok")
                isWithin = isWithin && rounded <= limit
                print("\(subject.name): \(rounded) allocations, limit \(limit): \(verdict)")
            } else {
                isWithin = false
                print("\(subject.name): \(rounded) allocations: NO LIMIT in \(self.path)")
            }
        }
        if isComplete {
            for name in unused.keys.sorted() {
                isWithin = false
                print("\(name): there is a limit, but NOTHING IS MEASURED")
            }
        }
        return isWithin
    }
}
