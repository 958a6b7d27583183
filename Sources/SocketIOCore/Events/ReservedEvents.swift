/// The event names that the protocol keeps for itself; no packet may carry them, in either direction.
package enum ReservedEvents {
    /// True when `name` must not be sent or accepted.
    package static func contains(_ name: String) -> Bool {
        // Nearly all names are told from these by their length.
        guard 7...14 ~= name.utf8.count else { return false }
        return switch name {
        case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener": true
        default: false
        }
    }
}
