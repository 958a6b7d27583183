import SocketIOClient

extension BenchMarker {
    /// The first one in an event's arguments, wherever it stands in them.
    static func find(in arguments: ArgumentReader) -> BenchMarker? {
        var reader = arguments
        while !reader.isAtEnd {
            guard let value = try? reader.nextValue() else { return nil }
            if let marker = Self.find(in: value) { return marker }
        }
        return nil
    }

    /// As deep as the value is, which the decoder has bounded.
    static func find(in value: SocketIOValue) -> BenchMarker? {
        switch value {
        case .string(let text): return Self.find(in: text)
        case .array(let elements):
            for element in elements { if let marker = Self.find(in: element) { return marker } }
        case .object(let members):
            for (_, member) in members { if let marker = Self.find(in: member) { return marker } }
        case .null, .bool, .int, .double, .binary: break
        }
        return nil
    }
}
