import ArgumentParser
import NIOCore
import SocketIOClient

extension BenchPlan {
    static let maxClients = 100_000
    static let maxRate = 1_000_000.0
    static let maxPayload = 16 << 20

    /// - Throws: `ValidationError`, or ``CommandFailure`` for a file in an event that can't be read.
    init(
        url: String, load: BenchLoadOptions, messages: BenchMessageOptions, limits: BenchLimitOptions,
        transports: [SocketIOClientConfiguration.Transport]?
    ) throws {
        let mode = load.mode
        func check(_ condition: Bool, _ message: String) throws { if !condition { throw ValidationError(message) } }
        try check((1...Self.maxClients).contains(load.clients), "--clients must be from 1 to \(Self.maxClients).")
        try check(load.ramp >= 0.01 && load.ramp <= 100_000, "--ramp must be from 0.01 to 100000.")
        let rate = load.rate ?? 100
        try check(rate >= 0.01 && rate <= Self.maxRate, "--rate must be from 0.01 to \(Int(Self.maxRate)).")
        try check(load.timeout.nanoseconds >= 1_000_000, "--timeout must be at least 1ms.")
        try check(load.threads.map { (1...256).contains($0) } ?? true, "--threads must be from 1 to 256.")
        let payload = messages.payload ?? 64
        try check(
            payload == 0 || (BenchMarker.length...Self.maxPayload).contains(payload),
            "--payload must be 0, or from \(BenchMarker.length) to \(Self.maxPayload).")
        let inFlight = messages.maxInFlight ?? 10_000
        try check((1...1_000_000).contains(inFlight), "--max-in-flight must be from 1 to 1000000.")
        let rooms = messages.rooms ?? 1
        try check((1...load.clients).contains(rooms), "--rooms must be from 1 to the number of clients.")
        if mode == .connect {
            try check(
                load.rate == nil && load.warmup == nil && messages.isEmpty,
                "Without messages, which need --mode, there are no --rate, --warmup and options of messages.")
        } else {
            let duration = load.duration ?? .seconds(10)
            try check(duration.nanoseconds >= 1_000_000, "--duration must be at least 1ms.")
        }
        if mode != .broadcast {
            try check(
                messages.rooms == nil && messages.joinEvent == nil && !messages.exceptSender,
                "--rooms, --join-event and --except-sender need --mode broadcast.")
        }
        try check(messages.reply == nil || mode != .ack, "--reply is an event, and with --mode ack none is awaited.")
        try check(
            !messages.exceptSender || load.clients >= 2 * rooms, "With --except-sender, a room needs two clients.")

        let event = try messages.event.map { try Self.template($0, option: "--event", mode, payload: payload > 0) }
        self.init(
            url: url, mode: mode, clients: load.clients, ramp: load.ramp, rate: rate,
            warmup: (load.warmup ?? .seconds(1)).nanoseconds,
            duration: (load.duration ?? (mode == .connect ? .seconds(0) : .seconds(10))).nanoseconds,
            timeout: load.timeout.nanoseconds, maxInFlight: inFlight, payloadBytes: payload,
            event: try mode.defaultEvent.map { name in
                try event ?? Self.template(name, option: "--event", mode, payload: payload > 0)
            },
            join: try messages.joinEvent.map { try Self.template($0, option: "--join-event", nil, payload: false) },
            rooms: rooms, exceptsSender: messages.exceptSender,
            threads: min(
                load.clients,
                load.threads
                    ?? Self.threads(
                        mode: mode, clients: load.clients, rooms: rooms, rate: rate, ramp: load.ramp,
                        cores: NIOCore.System.coreCount)),
            upgrades: transports.map { $0.first == .polling && $0.contains(.websocket) } ?? true, limits: limits.all)
        if mode == .echo || mode == .broadcast { self.reply = messages.reply ?? self.event?.name }
        try check(
            mode != .broadcast || payload > 0 && self.event?.uses(.payload) == true,
            "With --mode broadcast, --event needs {{payload}}: members get messages of several clients.")
    }

    /// An event as it is typed; a name alone gets the arguments that are usual.
    ///
    /// - Parameter mode: nil for joining a room.
    private static func template(
        _ line: String, option: String, _ mode: BenchMode?, payload: Bool
    ) throws -> EventTemplate {
        let event: TypedEvent
        do throws(LineFault) { event = try TypedEvent.parse(line) } catch {
            throw ValidationError("\(option):\n" + error.pointing(into: line).joined(separator: "\n"))
        }
        guard !event.wantsAnswer else { throw ValidationError("\(option): whether an answer is wanted says --mode.") }
        var values = try event.values(standardInput: false)
        if values.isEmpty {
            if mode == nil || mode == .broadcast { values.append("{{room}}") }
            if payload { values.append("{{payload}}") }
        }
        return EventTemplate(name: event.name, values: values)
    }
}

extension BenchMode {
    var defaultEvent: String? {
        switch self {
        case .connect: nil
        case .ack: "echo-ack"
        case .echo: "echo"
        case .broadcast: "broadcast"
        }
    }
}
