import SocketIOClient

/// An event with places for what differs from message to message.
struct EventTemplate: Sendable {
    let name: String
    let arguments: [ValueTemplate]

    init(name: String, values: [SocketIOValue]) {
        self.name = name
        self.arguments = values.map { ValueTemplate($0) }
    }

    func uses(_ placeholder: ValueTemplate.Placeholder) -> Bool { self.arguments.contains { $0.uses(placeholder) } }

    func fill(_ filling: ValueTemplate.Filling) -> [SocketIOValue] { self.arguments.map { $0.fill(filling) } }
}

/// A value with placeholders in its texts, but not in its keys.
indirect enum ValueTemplate: Sendable {
    case constant(SocketIOValue)
    /// A text that is nothing but a placeholder.
    case placeholder(Placeholder)
    case text([Piece])
    case array([ValueTemplate])
    case object([(String, ValueTemplate)])

    enum Placeholder: String, Sendable, CaseIterable {
        case payload, room, client

        var text: String { "{{\(self.rawValue)}}" }
    }

    enum Piece: Sendable, Equatable {
        case literal(String)
        case placeholder(Placeholder)
    }

    /// What placeholders stand for.
    struct Filling: Sendable {
        var payload = ""
        var room = ""
        var client = 0
    }

    init(_ value: SocketIOValue) {
        switch value {
        case .string(let text): self = Self.parse(text)
        case .array(let elements):
            let elements = elements.map { ValueTemplate($0) }
            self = elements.allSatisfy(\.isConstant) ? .constant(value) : .array(elements)
        case .object(let members):
            let members = members.map { ($0.key, ValueTemplate($0.value)) }
            self = members.allSatisfy(\.1.isConstant) ? .constant(value) : .object(members)
        case .null, .bool, .int, .double, .binary: self = .constant(value)
        }
    }

    private static func parse(_ text: String) -> ValueTemplate {
        var pieces: [Piece] = []
        var literal = ""
        var rest = text[...]
        func placeholder(_ text: Substring) -> Placeholder? { Placeholder.allCases.first { text.hasPrefix($0.text) } }
        while !rest.isEmpty {
            if rest.hasPrefix("{{"), let found = placeholder(rest) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = ""
                pieces.append(.placeholder(found))
                rest = rest.dropFirst(found.text.count)
            } else {
                literal.append(rest.removeFirst())
            }
        }
        if pieces.isEmpty { return .constant(.string(text)) }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        if pieces.count == 1, case .placeholder(let only) = pieces[0] { return .placeholder(only) }
        return .text(pieces)
    }

    var isConstant: Bool { if case .constant = self { true } else { false } }

    func uses(_ placeholder: Placeholder) -> Bool {
        switch self {
        case .constant: false
        case .placeholder(let own): own == placeholder
        case .text(let pieces): pieces.contains(.placeholder(placeholder))
        case .array(let elements): elements.contains { $0.uses(placeholder) }
        case .object(let members): members.contains { $0.1.uses(placeholder) }
        }
    }

    /// A text that is nothing but the client's placeholder becomes a number.
    func fill(_ filling: Filling) -> SocketIOValue {
        switch self {
        case .constant(let value): value
        case .placeholder(.client): .int(filling.client)
        case .placeholder(let placeholder): .string(Self.text(placeholder, filling))
        case .text(let pieces):
            .string(
                pieces.map { piece in
                    switch piece {
                    case .literal(let text): text
                    case .placeholder(let placeholder): Self.text(placeholder, filling)
                    }
                }.joined())
        case .array(let elements): .array(elements.map { $0.fill(filling) })
        case .object(let members): .object(.init(members.map { ($0.0, $0.1.fill(filling)) }))
        }
    }

    private static func text(_ placeholder: Placeholder, _ filling: Filling) -> String {
        switch placeholder {
        case .payload: filling.payload
        case .room: filling.room
        case .client: String(filling.client)
        }
    }
}
