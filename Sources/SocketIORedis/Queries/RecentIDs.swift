/// The last ids of a kind, as many as fit: a set that forgets the oldest.
struct RecentIDs: Sendable {
    /// Longer ids are not remembered: strangers choose them.
    static let maxLength = 64

    private var ids: Set<String> = []
    private var order: [String] = []
    private var next = 0
    private let limit: Int

    init(limit: Int = 1000) { self.limit = max(1, limit) }

    /// Adds an id. False if it is known, or too long.
    @discardableResult
    mutating func insert(_ id: String) -> Bool {
        guard id.utf8.count <= Self.maxLength, self.ids.insert(id).inserted else { return false }
        if self.order.count < self.limit {
            self.order.append(id)
        } else {
            self.ids.remove(self.order[self.next])
            self.order[self.next] = id
            self.next = (self.next + 1) % self.limit
        }
        return true
    }

    func contains(_ id: String) -> Bool { self.ids.contains(id) }
}
