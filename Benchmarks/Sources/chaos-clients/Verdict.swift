/// What has become of the messages of all rooms.
struct Verdict {
    var deliveries = 0
    /// Not arrived, without a gap that the client was told of.
    var lost = 0
    var duplicated = 0
    var disordered = 0
    /// Arrived, and not in the stream.
    var unknown = 0
    /// Clients that are not in all of their rooms at the end.
    var stuck = 0

    var isGood: Bool { self.lost + self.duplicated + self.disordered + self.unknown + self.stuck == 0 }

    /// - Parameter truth: The messages of each room in the order of the stream.
    init(_ peers: [Peer], _ truth: [String: [UInt64]]) {
        let places = truth.mapValues { Dictionary(uniqueKeysWithValues: $0.enumerated().map { ($1, $0) }) }
        for peer in peers {
            if !peer.isInRooms { self.stuck += 1 }
            let segments = peer.state.withLock { $0.segments }
            for (index, segment) in segments.enumerated() {
                for room in peer.rooms {
                    self.check(
                        segment, room, truth[room] ?? [], places[room] ?? [:], isLast: index == segments.count - 1)
                }
            }
        }
    }

    private mutating func check(
        _ segment: Peer.Segment,
        _ room: String,
        _ truth: [UInt64],
        _ places: [UInt64: Int],
        isLast: Bool
    ) {
        let messages = segment.messages[room] ?? []
        self.deliveries += messages.count
        // Who is in the room gets the first message behind that.
        var next = segment.joined[room].map { joined in truth.firstIndex { $0 > joined } ?? truth.count }
        var seen: Set<Int> = []
        for message in messages {
            guard let place = places[message] else {
                self.unknown += 1
                continue
            }
            guard seen.insert(place).inserted else {
                self.duplicated += 1
                continue
            }
            // One that came after the join and before the client was told of it.
            let expected = seen.count == 1 ? min(place, next ?? place) : next ?? place
            if place < expected { self.disordered += 1 }
            if place > expected { self.lost += place - expected }
            next = max(expected, place + 1)
        }
        if isLast, let next, segment.joined[room] != nil { self.lost += truth.count - next }
    }
}
