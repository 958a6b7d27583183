/// How far a stream was read. It is told what the stream looks like and says from where to read on, so that nothing is missed
/// and nothing read twice, whatever has happened to the stream meanwhile.
struct StreamPosition: Sendable {
    /// The last entry that was read; reading begins behind it. Nil: it was never looked where the stream ends.
    private(set) var last: StreamID?
    /// Whether Redis was out of sight, so that it may have another data set now.
    private(set) var isDoubtful = false
    /// The ids of the last entries read, to recognise an older state of the same stream.
    private var recent: [StreamID] = []
    private var recentIndex = 0

    private static var recentLimit: Int { 4096 }

    /// Whether the stream's end must be looked at before it is read.
    var mustBeLocated: Bool { self.last == nil || self.isDoubtful }

    /// An entry was read.
    mutating func advance(to id: StreamID) {
        self.last = id
        if self.recent.count < Self.recentLimit {
            self.recent.append(id)
        } else {
            self.recent[self.recentIndex] = id
            self.recentIndex = (self.recentIndex + 1) % Self.recentLimit
        }
    }

    /// A read has failed.
    mutating func doubt() {
        if self.last != nil { self.isDoubtful = true }
    }

    /// `end` is the stream's last entry at this moment; nil: it has none.
    mutating func locate(_ end: StreamID?) {
        defer { self.isDoubtful = false }
        guard let last = self.last else {
            self.last = end ?? .zero
            return
        }
        guard let end else {
            // An empty data set: everything that comes is new.
            self.last = .zero
            return
        }
        // As it was, or grown.
        guard end < last else { return }
        // An older state of the stream, whose entries were read before, or a new one whose clock is behind.
        self.last = self.recent.contains(end) ? end : .zero
    }
}
