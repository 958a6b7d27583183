import EngineIOCore

/// How the packets of a session travel where that is not the way of protocol 4 and its plain polling. Chosen at the handshake; nil
/// for all sessions that need none. Everything that differs for them is asked of it, at the edge of a transport.
final class SessionDialect: Sendable {
    /// The version of the Engine.IO protocol, 3 or 4.
    let version: Int
    /// Whether binary data is base64 in answers to polls.
    let usesBase64: Bool
    /// The index of the function in answers to polls by script elements; nil for polls by requests.
    let jsonp: String?

    /// - Parameter isWebSocket: the session begins with a WebSocket.
    init?(_ query: QueryParameters, isWebSocket: Bool, _ configuration: EngineIOConfiguration) {
        let isCurrent = query.eio == "4"
        let jsonp =
            configuration.allowJSONP && !isWebSocket ? query.jsonp.map { JSONP.index(of: $0) } : nil
        if isCurrent, jsonp == nil { return nil }
        self.version = isCurrent ? 4 : 3
        self.usesBase64 = query.wantsBase64 || jsonp != nil
        self.jsonp = jsonp
    }
}

extension EngineIOSession {
    /// The version of the Engine.IO protocol that the client speaks: 4, or 3 with ``EngineIOConfiguration/allowEIO3``.
    public var protocolVersion: Int { self.dialect?.version ?? 4 }

    var isVersion3: Bool { self.dialect?.version == 3 }
}
