extension ArgumentReader {
    /// The next argument of a handler: of the event, the reply to it, or all that is left.
    package mutating func argument<T: Decodable>(_ type: T.Type, ack: (any AckSending)?) throws -> T {
        if type == AckReply.self || type == Arguments.self { return try self.special(type, ack: ack) }
        return try self.next(type)
    }

    /// Apart, because the casts need storage for an optional of the type, whose metadata each call would look up.
    @inline(never)
    private mutating func special<T: Decodable>(_ type: T.Type, ack: (any AckSending)?) throws -> T {
        if let reply = AckReply(sender: ack) as? T { return reply }
        if let rest = Arguments(values: try self.remainingValues()) as? T { return rest }
        return try self.next(type)
    }
}

/// Whether a handler answers through an ``AckReply`` among its parameters.
package func takesReply<each A>(_ type: repeat (each A).Type) -> Bool {
    for type in repeat each type {
        if type == AckReply.self { return true }
    }
    return false
}
