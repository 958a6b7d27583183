/// A place in the order in which a namespace sends its packets.
package struct RecoveryPosition: Hashable, Comparable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64 = 0, low: UInt64 = 0) {
        self.high = high
        self.low = low
    }

    /// As the offset of adapters that keep packets themselves.
    var text: String { "\(self.high)-\(self.low)" }

    package static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}
