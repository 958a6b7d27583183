/// What the servers of a cluster have answered to a question: a collection that also says who did not answer.
///
/// A server that is stopped, overloaded or cut off must not keep the others' answers from the caller. So a question ends at its
/// timeout with what has come; look at ``isComplete`` where that matters.
public struct ClusterAnswer<Element: Sendable>: RandomAccessCollection, Sendable {
    /// What has come, in no order.
    public var elements: [Element]
    /// How many servers have not answered in time.
    public var missingServerCount: Int
    /// Which servers have not answered, as far as the adapter can tell: ids that it has given them. With an adapter whose answers
    /// do not say who sent them there may be more names here than ``missingServerCount``: one of them is missing.
    public var missingServers: [String]

    public init(_ elements: [Element], missingServerCount: Int = 0, missingServers: [String] = []) {
        self.elements = elements
        self.missingServerCount = missingServerCount
        self.missingServers = missingServers
    }

    /// Whether all servers have answered.
    public var isComplete: Bool { self.missingServerCount == 0 }

    public var startIndex: Int { self.elements.startIndex }
    public var endIndex: Int { self.elements.endIndex }
    public subscript(position: Int) -> Element { self.elements[position] }

    func converted<Other>(_ convert: (Element) throws -> Other) rethrows -> ClusterAnswer<Other> {
        ClusterAnswer<Other>(
            try self.elements.map(convert),
            missingServerCount: self.missingServerCount,
            missingServers: self.missingServers
        )
    }

    mutating func add(_ other: Self) {
        self.elements += other.elements
        self.missingServerCount = Swift.max(self.missingServerCount, other.missingServerCount)
        for server in other.missingServers where !self.missingServers.contains(server) {
            self.missingServers.append(server)
        }
    }
}
