/// What is looked at, in this order.
enum Step: String, CaseIterable, Sendable {
    case url
    case dns
    case tcp
    case tls
    case handshake
    case versions
    case parameters
    case sessions
    case webSocket = "websocket"
    case upgrade
    case cors
    case namespace
    case ping
    case roundTrip = "round-trip"

    /// For people.
    var title: String {
        switch self {
        case .url: "URL"
        case .dns: "DNS"
        case .tcp: "TCP"
        case .tls: "TLS"
        case .handshake: "Handshake"
        case .versions: "Versions"
        case .parameters: "Parameters"
        case .sessions: "Sticky sessions"
        case .webSocket: "WebSocket"
        case .upgrade: "Upgrade"
        case .cors: "CORS"
        case .namespace: "Namespace"
        case .ping: "Ping"
        case .roundTrip: "Round trip"
        }
    }
}

/// What one step has found.
struct Finding: Sendable, Equatable {
    enum Outcome: String, Sendable {
        case ok
        case warning
        case failure
        case skipped
    }

    var step: Step
    var outcome: Outcome
    /// What was seen, or why nothing was.
    var seen: String
    /// How to mend it, or how to have it looked at. Nil if all is well.
    var advice: String?

    static func ok(_ step: Step, _ seen: String) -> Finding { Finding(step: step, outcome: .ok, seen: seen) }

    static func warning(_ step: Step, _ seen: String, _ advice: String) -> Finding {
        Finding(step: step, outcome: .warning, seen: seen, advice: advice)
    }

    static func failure(_ step: Step, _ seen: String, _ advice: String) -> Finding {
        Finding(step: step, outcome: .failure, seen: seen, advice: advice)
    }

    static func skipped(_ step: Step, _ why: String, _ advice: String? = nil) -> Finding {
        Finding(step: step, outcome: .skipped, seen: why, advice: advice)
    }

    var isFine: Bool { self.outcome == .ok || self.outcome == .warning }
}
