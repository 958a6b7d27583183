import NIOCore
import SocketIOCore

extension MessagePackReader {
    /// Reads a value.
    ///
    /// Dates are what `JSON.stringify` makes of them: strings in ISO 8601, or `null`. Of repeated keys the last counts.
    package mutating func read() throws(MessagePackError) -> SocketIOValue {
        try self.value(depth: 0)
    }

    private mutating func value(depth: Int) throws(MessagePackError) -> SocketIOValue {
        switch try self.next() {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .double(let value): return .double(value)
        case .string(let length): return .string(self.text(length))
        case .binary(let length): return .binary(self.bytes(length))
        case .date(let milliseconds):
            return milliseconds.map { .string(Self.text(ofDate: $0)) } ?? .null
        case .array(let count): return .array(try self.elements(count, depth: depth))
        case .map(let count): return .object(try self.members(count, depth: depth))
        }
    }

    /// Room that is made before anything is there to fill it. Headers inside each other could ask for the whole length
    /// of the message each.
    private static func reserved(_ count: Int) -> Int { min(count, 64) }

    private mutating func elements(_ count: Int, depth: Int) throws(MessagePackError) -> [SocketIOValue] {
        guard depth < self.maxDepth else { throw MessagePackError(.tooDeep) }
        var elements: [SocketIOValue] = []
        elements.reserveCapacity(Self.reserved(count))
        for _ in 0..<count { elements.append(try self.value(depth: depth + 1)) }
        return elements
    }

    private mutating func members(_ count: Int, depth: Int) throws(MessagePackError) -> SocketIOValue.Object {
        guard depth < self.maxDepth else { throw MessagePackError(.tooDeep) }
        var object = SocketIOValue.Object()
        object.reserveCapacity(Self.reserved(count))
        for _ in 0..<count {
            let key = try self.readText()
            object.updateValue(try self.value(depth: depth + 1), forKey: key)
        }
        return object
    }

    private static func text(ofDate milliseconds: Int64) -> String {
        String(unsafeUninitializedCapacity: 27) { ISO8601.write(milliseconds, into: UnsafeMutableRawBufferPointer($0)) }
    }
}
