import ArgumentParser

@main
struct MicroBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "micro-bench",
        abstract: "Measures the parts of the server in one process.",
        subcommands: [Parts.self, Growth.self],
        defaultSubcommand: Parts.self
    )
}

/// Measures parts alone: CPU time and allocations per operation, beside Foundation or NIOWebSocket doing the same.
struct Parts: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "CPU time and allocations of the codecs and the room index (the default)."
    )

    @Option(help: "Only those whose names contain this.")
    var filter: String = ""

    @Option(help: "Rounds; the median counts.")
    var rounds: Int = 9

    @Option(help: "Measures no time; compares allocations with the limits in this file and fails above them.")
    var check: String?

    func validate() throws {
        guard (1...1000).contains(self.rounds) else { throw ValidationError("--rounds must be from 1 to 1000") }
    }

    func run() async throws {
        try AllocationCounter.selfTest()
        let rooms = try await RoomBench()
        let subjects = try (Self.pureSubjects() + rooms.subjects())
            .filter { self.filter.isEmpty || $0.name.contains(self.filter) }
        if let check {
            let limits = try Limits(path: check)
            guard try limits.check(subjects, isComplete: self.filter.isEmpty) else { throw ExitCode(1) }
        } else {
            try Table.print(subjects.map { try Measurement(of: $0, rounds: self.rounds) })
        }
        await rooms.close()
    }

    static func pureSubjects() throws -> [Subject] {
        try PacketSubjects.all() + JSONSubjects.all() + WebSocketSubjects.all() + MessagePackSubjects.all()
    }
}
