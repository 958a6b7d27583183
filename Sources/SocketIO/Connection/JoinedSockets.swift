/// The sockets of a connection.
struct JoinedSockets {
    /// The socket of the namespace `/`, which is looked up most.
    var main: Socket?
    var others: [String: Socket] = [:]
    /// All of them in the order in which they were joined; empty as long as there is none but the main one, which is so for most
    /// connections.
    private var order: [Socket] = []

    subscript(namespace: String) -> Socket? { namespace == "/" ? self.main : self.others[namespace] }

    var count: Int { self.order.isEmpty ? (self.main == nil ? 0 : 1) : self.order.count }

    /// All of them in the order in which they were joined, which is that of their ends.
    var inOrder: [Socket] { self.order.isEmpty ? self.main.map { [$0] } ?? [] : self.order }

    mutating func add(_ socket: Socket) {
        let name = socket.namespace.name
        let before = self.inOrder
        if name == "/" { self.main = socket } else { self.others[name] = socket }
        if !before.isEmpty || name != "/" { self.order = before + [socket] }
    }

    mutating func remove(_ socket: Socket) -> Bool {
        let name = socket.namespace.name
        guard self[name] === socket else { return false }
        if name == "/" { self.main = nil } else { self.others[name] = nil }
        self.order.removeAll { $0 === socket }
        return true
    }
}
