/// The sockets of a connection.
struct JoinedSockets {
    /// The socket of the namespace `/`, which is looked up most.
    var main: Socket?
    var others: [String: Socket] = [:]
    /// All of them in the order in which they were joined, which is that of their ends.
    var inOrder: [Socket] = []

    subscript(namespace: String) -> Socket? { namespace == "/" ? self.main : self.others[namespace] }

    mutating func add(_ socket: Socket) {
        let name = socket.namespace.name
        if name == "/" { self.main = socket } else { self.others[name] = socket }
        self.inOrder.append(socket)
    }

    mutating func remove(_ socket: Socket) -> Bool {
        let name = socket.namespace.name
        guard self[name] === socket else { return false }
        if name == "/" { self.main = nil } else { self.others[name] = nil }
        self.inOrder.removeAll { $0 === socket }
        return true
    }
}
