extension SocketIOValue: ExpressibleByNilLiteral {
    public init(nilLiteral: ()) { self = .null }
}

extension SocketIOValue: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension SocketIOValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) { self = .int(value) }
}

extension SocketIOValue: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension SocketIOValue: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension SocketIOValue: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: SocketIOValue...) { self = .array(elements) }
}

extension SocketIOValue: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, SocketIOValue)...) { self = .object(Object(elements)) }
}
