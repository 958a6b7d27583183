import NIOCore
import SocketIOCore

extension MessagePackWriter {
    /// Writes a value.
    ///
    /// - Throws: `tooDeep` beyond the depth at which the writer of JSON refuses values.
    package mutating func write(_ value: SocketIOValue) throws(MessagePackError) {
        try self.write(value, depth: 0)
    }

    private mutating func write(_ value: SocketIOValue, depth: Int) throws(MessagePackError) {
        guard depth <= JSONWriter.maxDepth else { throw MessagePackError(.tooDeep) }
        switch value {
        case .null: self.writeNil()
        case .bool(let value): self.writeBool(value)
        case .int(let value): self.write(value)
        case .double(let value): self.write(value)
        case .string(let value): self.write(value)
        case .binary(let value): self.writeBinary(value)
        case .array(let elements):
            self.writeArrayHeader(elements.count)
            for element in elements { try self.write(element, depth: depth + 1) }
        case .object(let object):
            self.writeMapHeader(object.count)
            for (key, value) in object {
                self.write(key)
                try self.write(value, depth: depth + 1)
            }
        }
    }
}
