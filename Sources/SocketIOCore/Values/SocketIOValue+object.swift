extension SocketIOValue {
    /// The members of a JSON object in the order in which they were added.
    ///
    /// Setting a key that exists keeps its place. Objects are equal when they have equal members, in whatever order.
    public struct Object: Sendable {
        /// One member.
        public typealias Element = (key: String, value: SocketIOValue)

        private var keyStorage: [String] = []
        private var valueStorage: [SocketIOValue] = []
        /// Positions by key. Empty while the object is small: then a search is cheaper than hashing.
        private var positions: [String: Int] = [:]

        private static var searchLimit: Int { 8 }

        /// An object without members.
        public init() {}

        /// The members in order; of a repeated key the last value counts, at the place of the first.
        public init(_ members: some Sequence<(String, SocketIOValue)>) {
            for (key, value) in members { self.updateValue(value, forKey: key) }
        }

        /// The keys in order.
        public var keys: [String] { self.keyStorage }

        /// The values in order.
        public var values: [SocketIOValue] { self.valueStorage }

        /// The value of `key`; setting `nil` removes the member.
        public subscript(key: String) -> SocketIOValue? {
            get {
                self.position(of: key).map { self.valueStorage[$0] }
            }
            set {
                if let newValue { self.updateValue(newValue, forKey: key) } else { self.removeValue(forKey: key) }
            }
        }

        /// Makes room for `count` members.
        public mutating func reserveCapacity(_ count: Int) {
            self.keyStorage.reserveCapacity(count)
            self.valueStorage.reserveCapacity(count)
        }

        /// Sets a member, at its place if it exists, else at the end.
        public mutating func updateValue(_ value: SocketIOValue, forKey key: String) {
            if let position = self.position(of: key) {
                self.valueStorage[position] = value
                return
            }
            self.keyStorage.append(key)
            self.valueStorage.append(value)
            if !self.positions.isEmpty {
                self.positions[key] = self.keyStorage.count - 1
            } else if self.keyStorage.count > Self.searchLimit {
                self.index()
            }
        }

        /// Removes a member and returns its value.
        @discardableResult
        public mutating func removeValue(forKey key: String) -> SocketIOValue? {
            guard let position = self.position(of: key) else { return nil }
            self.keyStorage.remove(at: position)
            let value = self.valueStorage.remove(at: position)
            self.positions.removeAll()
            if self.keyStorage.count > Self.searchLimit { self.index() }
            return value
        }

        private mutating func index() {
            self.positions.reserveCapacity(self.keyStorage.count * 2)
            for (position, key) in self.keyStorage.enumerated() { self.positions[key] = position }
        }

        private func position(of key: String) -> Int? {
            self.positions.isEmpty ? self.keyStorage.firstIndex(of: key) : self.positions[key]
        }
    }
}

extension SocketIOValue.Object: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { self.keyStorage.count }

    public subscript(position: Int) -> Element {
        (self.keyStorage[position], self.valueStorage[position])
    }
}

extension SocketIOValue.Object: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        // The order must not matter, so the members are hashed each by itself and added up.
        var sum = 0
        for (key, value) in self {
            var member = Hasher()
            member.combine(key)
            member.combine(value)
            sum &+= member.finalize()
        }
        hasher.combine(self.count)
        hasher.combine(sum)
    }
}

extension SocketIOValue.Object: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, SocketIOValue)...) { self.init(elements) }
}
