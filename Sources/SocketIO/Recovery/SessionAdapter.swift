import SocketIOCore

/// An adapter that keeps packets and sessions itself, where other servers find them too.
///
/// The order of packets, and their offsets, are the adapter's: it gives packets to this server's sockets with
/// ``LocalAdapter/deliver(_:to:offset:at:)``, one at a time and in order, those of this server too. Unlike others it does so
/// some time after it was told to broadcast them.
package protocol SessionAdapter: Adapter {
    /// Keeps a session for some time. It must be there by the time ``Adapter/close()`` has returned.
    func keepSession(_ session: LostSession, for duration: Duration)
    /// Takes a session out of what is kept. Another server that still takes the client for connected is told that it is not.
    ///
    /// - Throws: ``RecoveryError``.
    func takeSession(pid: String) async throws -> LostSession
    /// The position that an offset stands for, such as `12-3`; nil if it is none.
    func position(of offset: String) -> RecoveryPosition?
    /// The packets that a session has missed behind `position`, up to the last that there is now.
    ///
    /// - Parameters:
    ///   - isFirst: Whether it must be looked whether packets behind `position` are not kept any more.
    ///   - limit: Most bytes.
    /// - Throws: ``RecoveryError``.
    func missed(
        by session: LostSession,
        after position: RecoveryPosition,
        isFirst: Bool,
        limit: Int
    ) async throws -> MissedPackets
    /// Calls `body` once what this server was told to broadcast before was given to its sockets, or after some time. It may be
    /// called at once.
    func afterPending(_ body: @escaping @Sendable () -> Void)
}

/// What a session has missed.
package struct MissedPackets: Sendable {
    package var packets: [OffsetPacket]
    /// How far was looked.
    package var upTo: RecoveryPosition

    package init(packets: [OffsetPacket], upTo: RecoveryPosition) {
        self.packets = packets
        self.upTo = upTo
    }
}
