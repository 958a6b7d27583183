import EngineIOCore

/// Which protocols the server speaks, and the parameters of its sessions.
enum VersionJudgement {
    /// - Parameter old: what was answered to a handshake of protocol 3; nil if nothing was.
    static func versions(_ handshake: Handshake, old: ProbeAnswer?) -> Finding {
        // Servers say since Socket.IO 4.5 how much they take.
        let age = handshake.maxPayload == .max ? "Socket.IO 3, or 4 before 4.5" : "Socket.IO 3 or newer"
        let seen = "protocol 4 (\(age))"
        guard let old else { return .ok(.versions, seen) }
        if (200...299).contains(old.status), HandshakeJudgement.isProtocol3(old.body) {
            return .ok(.versions, seen + ", and protocol 3 for clients of Socket.IO 2")
        }
        if old.engineError?.code == 5 {
            return .ok(.versions, seen + "; clients of Socket.IO 2 are refused (`allowEIO3` would let them in)")
        }
        return .ok(.versions, seen + "; clients of Socket.IO 2 get status \(old.status)")
    }

    static func parameters(_ handshake: Handshake) -> Finding {
        let upgrades = handshake.upgrades.map { SafeText.escape($0) }.joined(separator: ", ")
        let seen = """
            pingInterval \(handshake.pingInterval) ms, pingTimeout \(handshake.pingTimeout) ms, maxPayload \
            \(handshake.maxPayload == .max ? "not told" : "\(handshake.maxPayload) bytes"), upgrades \
            \(upgrades.isEmpty ? "none" : upgrades)
            """
        if handshake.pingInterval >= 60_000 {
            return .warning(
                .parameters, seen,
                """
                Many proxies cut connections that are silent for 60 seconds: set `pingInterval` below that (25000 is the \
                usual), or raise the proxy's limit (nginx: proxy_read_timeout).
                """)
        }
        if handshake.pingTimeout < 2_000 {
            return .warning(
                .parameters, seen,
                "Clients whose network stands still for a moment are taken for lost: raise `pingTimeout` (20000 is the usual)."
            )
        }
        if handshake.maxPayload < 10_000 {
            return .warning(
                .parameters, seen,
                "Larger messages end the connection: raise `maxHttpBufferSize` if clients send any (1000000 is the usual)."
            )
        }
        return .ok(.parameters, seen)
    }
}
