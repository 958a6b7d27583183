import SocketIOClient

/// What is shown to the user.
struct Occurrence: Sendable {
    enum Kind: Sendable {
        case connected(id: String, transport: String, isRecovered: Bool)
        case upgraded
        case event(String, [SocketIOValue])
        case sent(String, [SocketIOValue])
        case answer(to: String, [SocketIOValue])
        case disconnected(String, willReconnect: Bool)
        case reconnecting(attempt: Int)
        /// An attempt to connect has failed.
        case notConnected(String)
        case failure(String)
        case note(String)
    }

    /// Since 1970.
    var milliseconds: Int64
    var kind: Kind
}
