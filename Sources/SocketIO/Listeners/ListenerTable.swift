import SocketIOCore

/// The listeners of one event, of which there is mostly one.
enum Listeners: Sendable {
    case none
    case one(Listener)
    case several([Listener])

    /// Whether an acknowledgement that is wanted is to be sent empty by a listener that returns nothing: not if there is
    /// another that answers.
    var answerEmpty: Bool {
        if case .several(let listeners) = self { return !listeners.contains { $0.reply == .answers } }
        return true
    }

    var isEmpty: Bool { if case .none = self { true } else { false } }

    var hasOnce: Bool {
        switch self {
        case .none: false
        case .one(let listener): listener.isOnce
        case .several(let listeners): listeners.contains(where: \.isOnce)
        }
    }

    mutating func append(_ listener: Listener) {
        switch self {
        case .none: self = .one(listener)
        case .one(let first): self = .several([first, listener])
        case .several(var all):
            self = .none
            all.append(listener)
            self = .several(all)
        }
    }

    func forEach(_ body: (Listener) throws -> Void) rethrows {
        switch self {
        case .none: break
        case .one(let listener): try body(listener)
        case .several(let listeners): for listener in listeners { try body(listener) }
        }
    }
}

/// The listeners of a socket or of a namespace's server-side events.
///
/// A few lie in one array, which is searched faster than a dictionary and takes less memory; every socket has such a table.
/// More go into a dictionary.
struct ListenerTable: Sendable {
    private struct Entry: Sendable {
        let event: String
        let listener: Listener
    }

    private var few: [Entry] = []
    /// All listeners, once there were more than a few.
    private var many: [String: [Listener]]?
    private var nextToken = 0

    private static let maxFew = 12

    var isEmpty: Bool { self.few.isEmpty && self.many?.isEmpty != false }

    /// The listeners of an event; those for one call are removed with this.
    mutating func take(_ event: String) -> Listeners {
        var found = Listeners.none
        if self.many != nil {
            for listener in self.many?[event] ?? [] { found.append(listener) }
        } else {
            for entry in self.few where entry.event == event { found.append(entry.listener) }
        }
        if found.hasOnce { _ = self.removeAll(event) { $0.isOnce } }
        return found
    }

    mutating func add(
        _ event: String,
        isOnce: Bool,
        _ reply: Listener.Reply,
        _ run: @escaping @Sendable (ArgumentReader, Invocation) throws -> Void
    ) -> Int {
        self.nextToken += 1
        let listener = Listener(token: self.nextToken, isOnce: isOnce, reply: reply, run: run)
        if self.many != nil {
            self.many?[event, default: []].append(listener)
        } else if self.few.count < Self.maxFew {
            self.few.append(Entry(event: event, listener: listener))
        } else {
            var all = Dictionary(grouping: self.few, by: \.event).mapValues { $0.map(\.listener) }
            all[event, default: []].append(listener)
            self.few = []
            self.many = all
        }
        return self.nextToken
    }

    /// Returns what was removed, to be released outside the lock.
    mutating func remove(_ event: String, token: Int) -> [Listener] { self.removeAll(event) { $0.token == token } }

    /// Returns what was removed, to be released outside the lock.
    mutating func removeAll(_ event: String) -> [Listener] { self.removeAll(event) { _ in true } }

    mutating func removeAll() -> [Listener] {
        let all = self.few.map(\.listener) + (self.many?.values.flatMap { $0 } ?? [])
        self.few = []
        self.many = nil
        return all
    }

    private mutating func removeAll(_ event: String, _ isRemoved: (Listener) -> Bool) -> [Listener] {
        if let listeners = self.many?[event] {
            let rest = listeners.filter { !isRemoved($0) }
            self.many?[event] = rest.isEmpty ? nil : rest
            return listeners
        }
        var removed: [Listener] = []
        self.few.removeAll { entry in
            guard entry.event == event, isRemoved(entry.listener) else { return false }
            removed.append(entry.listener)
            return true
        }
        return removed
    }

    /// The names of the events that have listeners.
    var events: [String] { Array(Set(self.few.map(\.event)).union(self.many?.keys.map { $0 } ?? [])) }
}
