import EngineIO
import EngineIOCore
import NIOCore
import SocketIOCore
import Synchronization

/// What a namespace keeps on this server so that clients can go on: the log of its packets, the sessions of clients that are
/// away, and which rooms sockets were in when.
///
/// Its state is looked at and changed only by who holds the lock of the namespace's rooms; packets are numbered and put into
/// outboxes under that lock, so that their order is the same for all clients and that of the log.
final class NamespaceRecovery: Sendable {
    let options: ConnectionStateRecovery
    let offsets = LogOffset()
    let state: Mutex<State>
    /// Whether the adapter keeps packets and sessions: then the log is not used, and positions are the adapter's.
    let isExternal = Atomic<Bool>(false)
    /// For how long sessions are kept, in nanoseconds.
    let duration: UInt64

    struct State {
        var log: PacketLog
        var sessions: LostSessions
        /// The last packet that was put into outboxes.
        var position = RecoveryPosition()
        /// Whether the adapter has said from where on packets come.
        var isLocated = false
        /// Where packets of other servers may be missing before.
        var lossMark = RecoveryPosition()
        /// Of the sockets that are connected, by their ids.
        var histories: [String: RoomHistory] = [:]
        /// The sockets that are connected, by the private ids of their sessions.
        var connected: [String: Socket] = [:]
        /// Up to where sockets that have gone on have got everything, by id, as long as packets from before may come.
        var floors: [String: RecoveryPosition] = [:]
        var isSweeping = false
        var isClosed = false
    }

    init(_ options: ConnectionStateRecovery, heartbeat: Duration) {
        self.options = options
        self.duration = max(.zero, options.maxDisconnectionDuration).nanoseconds
        // A client that is gone is noticed late, and what was sent until then is missed too.
        let retention = self.duration.addingReportingOverflow(heartbeat.nanoseconds)
        self.state = Mutex(
            State(
                log: PacketLog(
                    maxPackets: max(0, options.maxPackets), maxBytes: max(0, options.maxBytes),
                    retention: retention.overflow ? .max / 2 : min(retention.partialValue, .max / 2)),
                sessions: LostSessions(limit: options.maxSessions)
            ))
    }

    /// Whether packets to this target are numbered here and kept in the log.
    func logs(_ flags: BroadcastFlags) -> Bool { !flags.volatile && !self.isExternal.load(ordering: .relaxed) }

    // MARK: Coming, going and rooms; called under the lock of the rooms

    /// A socket has joined anew.
    func began(_ socket: Socket) {
        guard let pid = socket.pid else { return }
        self.state.withLock { state in
            state.histories[socket.id] = RoomHistory(start: state.position)
            state.connected[pid] = socket
        }
    }

    func joined(_ room: Room, _ id: String) {
        self.state.withLock { state in
            guard room.name != id, let index = state.histories.index(forKey: id) else { return }
            state.histories.values[index].join(room, at: state.position)
        }
    }

    func left(_ room: Room, _ id: String) {
        self.state.withLock { state in
            guard let index = state.histories.index(forKey: id) else { return }
            state.histories.values[index].leave(
                room, at: state.position, oldest: RecoveryPosition(low: state.log.droppedUpTo))
        }
    }

    /// Forgets a socket that is connected; returns what is needed to keep its session.
    func forget(_ socket: Socket) -> RoomHistory? {
        self.state.withLock { state in
            if let pid = socket.pid, state.connected[pid] === socket { state.connected[pid] = nil }
            state.floors[socket.id] = nil
            return state.histories.removeValue(forKey: socket.id)
        }
    }
}

extension NamespaceRecovery.State {
    /// Where a session is to be continued that has come out of the log's sessions.
    func start(
        of session: LostSession,
        _ offset: RecoveryRequest.Offset?,
        _ offsets: LogOffset,
        now: UInt64
    ) -> Result<RecoveryPosition, RecoveryError> {
        if session.deadline <= now { return .failure(RecoveryError(.expired)) }
        var position = session.history.start
        switch offset {
        case nil: break
        case .invalid: return .failure(RecoveryError(.invalidOffset))
        case .text(let text):
            switch offsets.parse(text) {
            case .invalid: return .failure(RecoveryError(.invalidOffset))
            // Some clients keep the offset of an earlier session until they get another event: in this one they got none.
            case .foreign: break
            case .sequence(let sequence):
                guard sequence <= self.log.last else { return .failure(RecoveryError(.invalidOffset)) }
                position = max(position, RecoveryPosition(low: sequence))
            }
        }
        if let failure = self.gap(session, after: position) { return .failure(RecoveryError(failure)) }
        return .success(position)
    }

    /// Why what follows `position` is not complete; nil if it is.
    ///
    /// - Parameter read: Up to where packets were found already.
    func gap(
        _ session: LostSession,
        after position: RecoveryPosition,
        isReadUpTo read: UInt64 = 0
    ) -> RecoveryFailure? {
        if max(position.low, read) < self.log.droppedUpTo { return .packetsDropped }
        if position < session.history.forgottenUpTo { return .packetsDropped }
        if position < self.lossMark { return .messagesLost }
        return nil
    }
}
