import ArgumentParser

/// How much, and how long.
struct BenchLoadOptions: ParsableArguments {
    @Option(help: "What is measured: connect, ack, echo or broadcast.")
    var mode: BenchMode = .connect

    @Option(help: "How many clients there are.")
    var clients: Int = 100

    @Option(help: ArgumentHelp("How many clients begin to connect in a second.", valueName: "per second"))
    var ramp: Double = 100

    @Option(help: ArgumentHelp("Messages in a second, of all clients together. Default: 100.", valueName: "per second"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            "How long messages are measured, or connections held: 500ms, 10s, 5m. Default: 10s, for connect 0s.",
            valueName: "time"))
    var duration: Span?

    @Option(help: ArgumentHelp("How long messages are sent before they count. Default: 1s.", valueName: "time"))
    var warmup: Span?

    @Option(help: ArgumentHelp("How long a connection, and a reply, may take.", valueName: "time"))
    var timeout: Span = .seconds(10)

    @Option(help: "Event loops of the generator. Default: as many as the load needs, up to the number of cores.")
    var threads: Int?
}

/// What is sent, and what comes back.
struct BenchMessageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What is sent. Default: echo, for ack echo-ack, for broadcast broadcast.", valueName: "'event args'"))
    var event: String?

    @Option(
        help: ArgumentHelp(
            "echo, broadcast: the event that is the reply. Default: that of --event.", valueName: "event"))
    var reply: String?

    @Option(help: ArgumentHelp("The bytes of {{payload}}, 0 for none. Default: 64.", valueName: "bytes"))
    var payload: Int?

    @Option(help: "broadcast: how many rooms the clients are spread over. Default: 1.")
    var rooms: Int?

    @Option(
        help: ArgumentHelp("broadcast: what each client sends first to join its room.", valueName: "'event args'"))
    var joinEvent: String?

    @Flag(help: "broadcast: the server sends a message to all members but its sender.")
    var exceptSender = false

    @Option(help: "How many messages may be on their way. Default: 10000.")
    var maxInFlight: Int?

    var isEmpty: Bool {
        self.event == nil && self.reply == nil && self.payload == nil && self.rooms == nil && self.joinEvent == nil
            && !self.exceptSender && self.maxInFlight == nil
    }
}

/// What has to be kept.
struct BenchLimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The greatest median latency: 500us, 20ms, 1s.", valueName: "time"))
    var maxP50: Span?

    @Option(help: ArgumentHelp("The greatest 90th percentile.", valueName: "time"))
    var maxP90: Span?

    @Option(help: ArgumentHelp("The greatest 99th percentile.", valueName: "time"))
    var maxP99: Span?

    @Option(help: ArgumentHelp("The greatest 99.9th percentile.", valueName: "time"))
    var maxP999: Span?

    @Option(help: ArgumentHelp("The greatest latency of all.", valueName: "time"))
    var maxLatency: Span?

    @Option(
        help: ArgumentHelp(
            "The greatest part, 0.1% or 0.001, of connections that fail or are lost, or of messages without a reply.",
            valueName: "part"))
    var maxErrorRate: Part?

    var all: [BenchLimit] {
        let times: [(BenchLimit.Quantity, Span?)] = [
            (.p50, self.maxP50), (.p90, self.maxP90), (.p99, self.maxP99), (.p999, self.maxP999),
            (.max, self.maxLatency),
        ]
        var limits = times.compactMap { quantity, span in
            span.map { BenchLimit(quantity: quantity, allowed: Double($0.nanoseconds)) }
        }
        if let part = self.maxErrorRate { limits.append(BenchLimit(quantity: .errorRate, allowed: part.value)) }
        return limits
    }
}
