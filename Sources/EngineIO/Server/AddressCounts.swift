import EngineIOCore

/// How many sessions each address has. There is an entry for an address with a session only, so there are never more entries
/// than sessions.
struct AddressCounts: Sendable {
    private var counts: [AddressGroup: Int] = [:]

    var entryCount: Int { self.counts.count }

    func count(of address: AddressGroup) -> Int { self.counts[address] ?? 0 }

    mutating func add(_ address: AddressGroup) { self.counts[address, default: 0] += 1 }

    mutating func remove(_ address: AddressGroup) {
        guard let count = self.counts[address] else { return }
        self.counts[address] = count > 1 ? count - 1 : nil
    }
}
