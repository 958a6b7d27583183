import NIOCore

/// One argument, laid out for a `Decoder`: an entry for each value and key, so that no byte is searched twice,
/// however deep it lies.
final class DecodingSession {
    struct Node {
        enum Kind: UInt8 { case scalar, null, array, object, key, escapedKey }

        var kind: Kind
        /// Where the text begins; that of a key, without the quote.
        var start: UInt32
        /// Where a key's text ends.
        var end: UInt32 = 0
        /// The number of elements or members.
        var count: UInt32 = 0
        /// The index behind this node and all that is inside it. While it is open: the index of the node around it.
        var next: UInt32
    }

    let json: ByteBuffer
    let attachments: [ByteBuffer]
    let nodes: [Node]
    /// Where the argument ends.
    let end: Int

    init(json: ByteBuffer, at position: Int, attachments: [ByteBuffer]) {
        self.json = json
        self.attachments = attachments
        (self.nodes, self.end) = json.withUnsafeReadableBytes { bytes in
            Self.lay(out: JSONReader(bytes: bytes, attachments: []), from: position)
        }
    }

    private static func lay(out reader: JSONReader, from start: Int) -> (nodes: [Node], end: Int) {
        let bytes = reader.bytes
        var nodes: [Node] = []
        // Most values take a dozen bytes or more, with their keys.
        nodes.reserveCapacity(min((bytes.count &- start) / 12, 1024) &+ 4)
        var open = UInt32.max
        var index = start
        func offset(_ value: Int) -> UInt32 { UInt32(truncatingIfNeeded: value) }

        while index < bytes.count {
            // A value begins here, in an object behind its key.
            let node = offset(nodes.count)
            switch bytes[index] {
            case Byte.openArray, Byte.openObject:
                let kind: Node.Kind = bytes[index] == Byte.openArray ? .array : .object
                nodes.append(Node(kind: kind, start: offset(index), next: open))
                open = node
            case UInt8(ascii: "n"):
                nodes.append(Node(kind: .null, start: offset(index), next: node &+ 1))
                index &+= 4
            default:
                nodes.append(Node(kind: .scalar, start: offset(index), next: node &+ 1))
                index = reader.end(ofValueAt: index)
            }

            // Close what ends here and find the next value.
            while true {
                guard open != .max else {
                    return (nodes, min(index, bytes.count))
                }
                var end = 0
                if let next = reader.next(after: index, end: &end) {
                    nodes[Int(open)].count &+= 1
                    index = next
                    break
                }
                index = end
                let outer = nodes[Int(open)].next
                nodes[Int(open)].next = offset(nodes.count)
                open = outer
            }
            if nodes[Int(open)].kind == .object, let key = reader.key(at: index) {
                nodes.append(
                    Node(
                        kind: key.isEscaped ? .escapedKey : .key,
                        start: offset(key.content.lowerBound),
                        end: offset(key.content.upperBound),
                        next: offset(nodes.count) &+ 1
                    )
                )
                index = key.value
            }
        }
        return (nodes, bytes.count)
    }

    // MARK: Access

    func node(_ index: UInt32) -> Node? {
        index < self.nodes.count ? self.nodes[Int(index)] : nil
    }

    /// The text of the key `node`.
    func keyText(_ node: Node) -> String {
        self.json.withUnsafeReadableBytes {
            JSONString.decode($0, Int(node.start)..<Int(node.end), isEscaped: node.kind == .escapedKey)
        }
    }

    /// Decodes the value `index`.
    func decode<T: Decodable>(_ type: T.Type, _ index: UInt32) throws -> T {
        var source = NodeSource(session: self, index: index)
        return try source.value(as: type)
    }

    // MARK: Errors

    func error(_ type: Any.Type, _ index: UInt32, _ mismatch: Mismatch) -> DecodingError {
        let context = self.context(index, "expected \(mismatch.expected), found \(mismatch.found)")
        return self.node(index)?.kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    func error(_ type: Any.Type, _ index: UInt32, expected: String) -> DecodingError {
        let mismatch = self.json.withUnsafeReadableBytes {
            JSONReader(bytes: $0, attachments: self.attachments)
                .mismatch(expected, at: self.node(index).map { Int($0.start) } ?? .max)
        }
        return self.error(type, index, mismatch)
    }

    func context(_ index: UInt32, _ description: String) -> DecodingError.Context {
        DecodingError.Context(codingPath: self.codingPath(index), debugDescription: description)
    }

    /// The keys and indexes that lead to the value `index`. They are not stored but searched for: only errors and
    /// those who ask pay for them.
    func codingPath(_ index: UInt32) -> [any CodingKey] {
        var path: [any CodingKey] = []
        var outer: UInt32 = 0
        while outer < index, let node = self.node(outer), node.kind == .array || node.kind == .object {
            var child = outer &+ 1
            var found = false
            for position in 0..<Int(node.count) {
                let value = node.kind == .object ? child &+ 1 : child
                guard let next = self.node(value)?.next, next > value else { return path }
                if index < next {
                    if node.kind == .object, let key = self.node(child) {
                        path.append(AnyKey(self.keyText(key)))
                    } else {
                        path.append(AnyKey(index: position))
                    }
                    outer = value
                    found = true
                    break
                }
                child = next
            }
            if !found { return path }
        }
        return path
    }
}

/// A value of a session.
private struct NodeSource: ValueSource {
    let session: DecodingSession
    let index: UInt32

    @inline(__always)
    func read<Value>(
        _ body: (JSONReader, Int, inout Int) throws(Mismatch) -> Value
    ) throws(any Error) -> Value {
        guard let node = self.session.node(self.index) else {
            throw DecodingError.valueNotFound(Value.self, self.session.context(self.index, "there is no value"))
        }
        let result = self.session.json.withUnsafeReadableBytes { bytes -> Result<Value, Mismatch> in
            var end = 0
            let reader = JSONReader(bytes: bytes, attachments: self.session.attachments)
            do throws(Mismatch) { return .success(try body(reader, Int(node.start), &end)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let value): return value
        case .failure(let mismatch): throw self.session.error(Value.self, self.index, mismatch)
        }
    }

    func decode<T: Decodable>(_ type: T.Type) throws(any Error) -> T {
        try T(from: ValueDecoder(session: self.session, node: self.index))
    }
}
