extension SocketIOClient {
    /// To be called when the network of the machine has changed, for instance by an `NWPathMonitor`.
    ///
    /// Without a network the connection is ended (`transport close`), and no attempt is made until there is one; then the client
    /// reconnects at once. If there was one before, it finds out soon whether the connection still works, and begins anew if it is
    /// connecting. It concerns all clients that share the connection.
    public func networkChanged(available: Bool) {
        let manager = self.core.manager
        manager.execute { manager.networkChanged(isAvailable: available) }
    }

    /// Does not wait any longer for the next attempt: makes it now. Nothing happens unless the client is about to reconnect.
    public func reconnectNow() {
        let manager = self.core.manager
        manager.execute { manager.reconnectNow() }
    }

    /// To be called when the application goes to the background and will not run for a while: the connection is ended in
    /// an orderly way, so that the server notices at once and can keep the session for recovery, and no attempt is made until
    /// ``foreground()``. What is emitted meanwhile is kept. The reason is `transport close`.
    public func background() {
        let manager = self.core.manager
        manager.execute { manager.background() }
    }

    /// To be called when the application comes to the foreground: reconnects at once, or finds out soon whether the connection
    /// still works. If it is connecting, it begins anew.
    public func foreground() {
        let manager = self.core.manager
        manager.execute { manager.foreground() }
    }
}

extension Manager {
    func networkChanged(isAvailable: Bool) { self.change { $0.networkChanged(isAvailable: isAvailable) } }
    func reconnectNow() { self.change { $0.reconnectNow() } }
    func background() { self.change { $0.background() } }
    func foreground() { self.change { $0.foreground() } }
}
