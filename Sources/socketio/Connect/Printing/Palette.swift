/// Colours of a terminal, or none.
struct Palette: Sendable {
    enum Role: String, Sendable {
        case time = "2"
        case incoming = "32"
        case outgoing = "36"
        case answer = "35"
        case status = "33"
        case failure = "31"
        case name = "1"
        case key = "34"
        case text = "92"
        case number = "93"
        case word = "95"
        case binary = "96"
    }

    let isColoured: Bool

    static let plain = Palette(isColoured: false)

    /// - Parameter text: must not come from elsewhere unescaped; see ``SafeText``.
    func paint(_ text: String, _ role: Role) -> String {
        self.isColoured ? "\u{1B}[\(role.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Whether to colour: on a terminal that can, unless the user wants none (https://no-color.org).
    static func choose(isTerminal: Bool, environment: [String: String]) -> Palette {
        let isUnwanted = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Palette(isColoured: isTerminal && !isUnwanted && environment["TERM"] != "dumb")
    }
}
