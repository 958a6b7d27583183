#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// CPU time of this thread, in nanoseconds: what other processes do while it is measured counts less than on a clock.
func threadTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// What was measured of a subject and of what it is compared with.
struct Measurement {
    let subject: Subject
    /// Nanoseconds per operation.
    let time: Double
    let allocations: Double
    let reference: (time: Double, allocations: Double)?

    /// Measures both in turns.
    init(of subject: Subject, rounds: Int) throws {
        self.subject = subject
        let times = try Self.timesPerRound(subject.body)
        let referenceTimes = try subject.reference.map { try Self.timesPerRound($0.body) }
        var own: [Double] = []
        var other: [Double] = []
        for _ in 0..<rounds {
            own.append(try Self.time(times, subject.body))
            if let reference = subject.reference, let referenceTimes {
                other.append(try Self.time(referenceTimes, reference.body))
            }
        }
        let operations = subject.operations
        self.time = median(own) / Double(operations)
        self.allocations = try AllocationCounter.count(operations, subject.body)
        self.reference = try subject.reference.map {
            (median(other) / Double(operations), try AllocationCounter.count(operations, $0.body))
        }
    }

    private static func time(_ times: Int, _ body: (Int) throws -> Void) throws -> Double {
        let start = threadTime()
        try body(times)
        return (threadTime() - start) / Double(times)
    }

    /// How many times take about 10 ms.
    private static func timesPerRound(_ body: (Int) throws -> Void) throws -> Int {
        var times = 16
        while true {
            let taken = try Self.time(times, body) * Double(times)
            if taken > 5e6 || times >= 1 << 24 { return max(1, Int(Double(times) * 10e6 / max(taken, 1))) }
            times *= 2
        }
    }
}

enum Table {
    /// Prints a table in Markdown.
    static func print(_ measurements: [Measurement]) {
        Swift.print("| | ns | allocations | beside it | ns | allocations | times faster |")
        Swift.print("| --- | ---: | ---: | --- | ---: | ---: | ---: |")
        for one in measurements {
            var row = "| \(one.subject.name) | \(Self.short(one.time)) | \(Self.short(one.allocations)) |"
            if let name = one.subject.reference?.name, let reference = one.reference {
                row += " \(name) | \(Self.short(reference.time)) | \(Self.short(reference.allocations)) |"
                row += " \(Self.short(reference.time / one.time)) |"
            } else {
                row += " | | | |"
            }
            Swift.print(row)
        }
    }

    /// Whole numbers, and one decimal below ten.
    static func short(_ value: Double) -> String {
        if value >= 9.95 { return "\(Int(value.rounded()))" }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
