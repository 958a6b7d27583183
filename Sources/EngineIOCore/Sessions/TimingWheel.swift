/// Coarse timers for many sessions: a ring of slots, one for each tick of time.
///
/// An element expires at the first tick at or after its deadline, never before it. Insertion is O(1). One element
/// can't be removed: the owner looks at an expired element and inserts it again if its deadline has moved meanwhile, so a
/// deadline that is put off costs nothing.
package struct TimingWheel<Element> {
    fileprivate struct Entry {
        var tick: UInt64
        var element: Element
    }

    /// Nanoseconds between two ticks.
    package let tick: UInt64
    private let start: UInt64
    private var slots: [[Entry]]
    /// The last tick that was handled.
    private var current: UInt64 = 0
    package private(set) var count = 0

    package var isEmpty: Bool { self.count == 0 }

    /// - Parameters:
    ///   - tick: nanoseconds, the resolution.
    ///   - slots: ticks of one rotation. A deadline further away waits for a later rotation in its slot.
    ///   - now: the time of tick 0, in nanoseconds of a monotonic clock.
    package init(tick: UInt64, slots: Int, now: UInt64) {
        self.tick = max(1, tick)
        self.start = now
        self.slots = Array(repeating: [], count: max(1, slots))
    }

    /// A deadline that is over already expires at the next tick.
    package mutating func insert(_ element: Element, deadline: UInt64) {
        let distance = deadline > self.start ? deadline - self.start : 0
        let exact = distance / self.tick + (distance % self.tick == 0 ? 0 : 1)
        let due = max(exact, self.current == .max ? .max : self.current + 1)
        self.slots[Int(due % UInt64(self.slots.count))].append(Entry(tick: due, element: element))
        self.count += 1
    }

    /// Moves on to `now` and appends what expired to `expired`: slot by slot, in a slot in the order of insertion.
    package mutating func advance(to now: UInt64, expired: inout [Element]) {
        let target = (now > self.start ? now - self.start : 0) / self.tick
        guard target > self.current else { return }
        // After a long pause one rotation sees every slot.
        let steps = Int(min(target - self.current, UInt64(self.slots.count)))
        let first = self.current + 1
        self.current = target
        guard self.count > 0 else { return }
        for step in 0..<steps {
            let slot = Int((first + UInt64(step)) % UInt64(self.slots.count))
            if !self.slots[slot].isEmpty { self.expire(slot, upTo: target, &expired) }
        }
    }

    /// Removes elements before their time: looks at all of them.
    package mutating func removeAll(where isDead: (Element) -> Bool) {
        guard self.count > 0 else { return }
        for slot in self.slots.indices where !self.slots[slot].isEmpty {
            var entries: [Entry] = []
            swap(&entries, &self.slots[slot])
            let before = entries.count
            entries.removeAll { isDead($0.element) }
            self.count -= before - entries.count
            self.keep(&entries, in: slot)
        }
    }

    private mutating func expire(_ slot: Int, upTo target: UInt64, _ expired: inout [Element]) {
        // The slot moves into a local, so that its elements are changed in place.
        var entries: [Entry] = []
        swap(&entries, &self.slots[slot])
        var kept = 0
        for index in entries.indices {
            if entries[index].tick <= target {
                expired.append(entries[index].element)
            } else {
                if kept != index { entries.swapAt(kept, index) }
                kept += 1
            }
        }
        self.count -= entries.count - kept
        entries.removeSubrange(kept...)
        self.keep(&entries, in: slot)
    }

    /// Gives a slot back what is left of its entries, in their memory unless a burst made that far larger than what is left.
    private mutating func keep(_ entries: inout [Entry], in slot: Int) {
        if entries.capacity > 64, entries.capacity / 4 > entries.count {
            self.slots[slot].append(contentsOf: entries)
        } else {
            swap(&entries, &self.slots[slot])
        }
    }
}

extension TimingWheel: Sendable where Element: Sendable {}
extension TimingWheel.Entry: Sendable where Element: Sendable {}
