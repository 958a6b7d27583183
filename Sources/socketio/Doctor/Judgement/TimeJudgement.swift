/// What times say.
enum TimeJudgement {
    /// The server's ping is waited for without being asked to up to this `pingInterval`, in milliseconds.
    static let shortInterval = 5_000

    enum Ping: Sendable, Equatable {
        case came(after: Duration)
        case didNotCome(within: Duration)
        case ended(WireFailure, after: Duration)
    }

    static func ping(_ ping: Ping, interval: Int, transport: String) -> Finding {
        let advice = """
            A proxy may end connections that are silent for shorter than `pingInterval`: raise its limit (nginx: \
            proxy_read_timeout, AWS ALB: idle timeout), or lower `pingInterval`. If it holds answers back: proxy_buffering off.
            """
        switch ping {
        case .came(let time):
            return .ok(
                .ping,
                "the server's ping came over \(transport) after \(self.text(time)) (`pingInterval` \(interval) ms)")
        case .didNotCome(let time):
            return .failure(
                .ping,
                "no ping of the server came over \(transport) within \(self.text(time)) (`pingInterval` \(interval) ms)",
                advice)
        case .ended(let failure, let time):
            return .failure(
                .ping,
                "the \(transport) connection \(failure.words) after \(self.text(time)), before the server's ping",
                advice)
        }
    }

    static func skippedPing(interval: Int) -> Finding {
        .skipped(.ping, "it would take \(self.text(.milliseconds(interval)))", "Give --ping to wait for it.")
    }

    /// - Parameter samples: of WebSocket pings.
    static func roundTrip(_ samples: [Duration], handshake: Duration?) -> Finding {
        guard let best = samples.min(), let worst = samples.max() else {
            guard let handshake else { return .skipped(.roundTrip, "there is nothing to measure it with") }
            return .ok(
                .roundTrip, "a handshake over polling takes \(self.text(handshake)), with a connection of its own")
        }
        let seen = "\(self.text(best)) to \(self.text(worst)) over WebSocket (\(samples.count) pings)"
        guard best > .milliseconds(1_000) else { return .ok(.roundTrip, seen) }
        return .warning(
            .roundTrip, seen, "That is slow even for the other side of the world: is the server or a proxy overloaded?")
    }

    /// `0.42 ms`, `12 ms`, `25.0 s`.
    static func text(_ time: Duration) -> String {
        let microseconds = time.components.seconds * 1_000_000 + time.components.attoseconds / 1_000_000_000_000
        if microseconds < 10_000 {
            let hundredths = microseconds / 10
            let rest = hundredths % 100
            return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
        }
        if microseconds < 10_000_000 { return "\(microseconds / 1000) ms" }
        return "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10) s"
    }
}
