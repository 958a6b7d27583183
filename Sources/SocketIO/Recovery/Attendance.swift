import SocketIOCore

/// The ``RoomHistory`` of a session, made ready to be asked about many packets: what it costs to ask does not depend on how many rooms
/// the session was in, or how often.
package struct Attendance: Sendable {
    /// Times in a room that are over: behind `from`, up to `to`.
    private struct Span {
        var from: RecoveryPosition
        var to: RecoveryPosition
    }

    private let own: Room
    private let since: [Room: RecoveryPosition]
    /// In order, and apart from each other.
    private let past: [Room: [Span]]

    package init(_ history: RoomHistory, own: Room) {
        self.own = own
        self.since = history.since
        var past: [Room: [Span]] = [:]
        // They lie in order, unless somebody else has written them into a store.
        for stay in history.past.sorted(by: { $0.from < $1.from }) where stay.from < stay.to {
            let spans = past[stay.room, default: []]
            if let last = spans.last, stay.from <= last.to {
                past[stay.room]?[spans.count - 1].to = max(last.to, stay.to)
            } else {
                past[stay.room, default: []].append(Span(from: stay.from, to: stay.to))
            }
        }
        self.past = past
    }

    /// The rooms that the session was ever in.
    var rooms: [Room] {
        [self.own] + self.since.keys + self.past.keys.filter { self.since[$0] == nil && $0 != self.own }
    }

    var roomCount: Int { 1 + self.since.count + self.past.count }

    /// Whether a packet with this target went to the session.
    package func isMet(by rooms: [Room], except: [Room], at position: RecoveryPosition) -> Bool {
        guard rooms.isEmpty || rooms.contains(where: { self.contains($0, at: position) }) else { return false }
        return !except.contains { self.contains($0, at: position) }
    }

    private func contains(_ room: Room, at position: RecoveryPosition) -> Bool {
        if room == self.own { return true }
        if let since = self.since[room], since < position { return true }
        guard let spans = self.past[room] else { return false }
        // The first that does not end before.
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = low + (high - low) / 2
            if spans[middle].to < position { low = middle + 1 } else { high = middle }
        }
        return low < spans.count && spans[low].from < position
    }
}
