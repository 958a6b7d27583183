/// The members of a room, in chunks: a snapshot shares them all, and a change made while a snapshot is out copies one chunk
/// and not the room.
struct MemberList: Sendable {
    static let chunkSize = 256

    private(set) var chunks: [[Socket]] = []
    private(set) var count = 0

    var isEmpty: Bool { self.count == 0 }

    /// Adds a member and returns its position.
    mutating func append(_ socket: Socket) -> Int {
        let position = self.count
        if position % Self.chunkSize == 0 {
            self.chunks.append([socket])
        } else {
            self.chunks[position / Self.chunkSize].append(socket)
        }
        self.count += 1
        return position
    }

    /// Removes the member at `position`. Returns the member that has moved there, unless it was the last.
    mutating func remove(at position: Int) -> Socket? {
        let last = self.count - 1
        let lastChunk = last / Self.chunkSize
        let moved = self.chunks[lastChunk].removeLast()
        if self.chunks[lastChunk].isEmpty { self.chunks.removeLast() }
        self.count = last
        guard position != last else { return nil }
        self.chunks[position / Self.chunkSize][position % Self.chunkSize] = moved
        return moved
    }
}
