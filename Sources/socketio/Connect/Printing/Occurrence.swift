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
        /// An answer that was asked for has not come.
        case unanswered(String)
        case note(String)
    }

    /// Since 1970.
    var milliseconds: Int64
    var kind: Kind
    /// What an event that waits to be shown counts for in bytes.
    var cost = 0
}
