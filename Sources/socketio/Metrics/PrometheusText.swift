/// Names, labels and numbers as the text format of Prometheus has them.
enum PrometheusText {
    /// A name in which everything that may not be there is an underscore.
    static func name(_ text: String, allowsColon: Bool = false) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isDigit = "0"..."9" ~= scalar
            let isLetter = "a"..."z" ~= scalar || "A"..."Z" ~= scalar || scalar == "_"
            if isDigit, name.isEmpty { name = "_" }
            name.unicodeScalars.append(isDigit || isLetter || allowsColon && scalar == ":" ? scalar : "_")
        }
        return name.isEmpty ? "_" : name
    }

    /// `a="1",b="2"`, ordered by name; of labels of the same name the last counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var labels: [String: String] = [:]
        for (label, value) in dimensions { labels[Self.name(label)] = Self.escaped(value) }
        return labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return "\(value)"
    }

    static func line(_ name: String, _ labels: String, _ value: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
