import TestSupport

/// Reads the text format of Prometheus, and nothing that is not exactly that.
struct PrometheusParser {
    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Family {
        let name: String
        let type: String
        var samples: [Sample] = []
    }

    /// - Throws: what is wrong, with the line.
    static func parse(_ text: String) throws -> [String: Family] {
        guard text.isEmpty || text.hasSuffix("\n") else { throw PeerError("the last line has no end") }
        var families: [String: Family] = [:]
        var current: Family?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            var rest = Substring(line)
            if rest.hasPrefix("#") {
                let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                guard words.count == 4, words[0] == "#", words[1] == "TYPE", Self.isName(words[2]),
                    ["counter", "gauge", "histogram", "summary"].contains(words[3])
                else { throw PeerError("no line of a type: \(line)") }
                if let done = current { families[done.name] = done }
                guard families[words[2]] == nil else { throw PeerError("a family twice: \(words[2])") }
                current = Family(name: words[2], type: words[3])
                continue
            }
            let sample = try Self.sample(&rest)
            guard let family = current else { throw PeerError("a sample without a type: \(line)") }
            guard Self.suffixes(family.type).contains(where: { family.name + $0 == sample.name }) else {
                throw PeerError("a sample of another family than \(family.name): \(line)")
            }
            guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
                throw PeerError("a series twice: \(line)")
            }
            current?.samples.append(sample)
        }
        if let done = current { families[done.name] = done }
        for family in families.values where family.type == "histogram" { try Self.check(family) }
        return families
    }

    private static func suffixes(_ type: String) -> [String] {
        switch type {
        case "histogram": ["_bucket", "_sum", "_count"]
        case "summary": ["_sum", "_count"]
        default: [""]
        }
    }

    private static func sample(_ rest: inout Substring) throws -> Sample {
        let line = rest
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        guard Self.isName(name) else { throw PeerError("no name: \(line)") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.first == "{" {
            repeat {
                rest.removeFirst()
                let label = String(rest.prefix { $0 != "=" })
                guard Self.isName(label), !label.contains(":"), labels[label] == nil else {
                    throw PeerError("no label: \(line)")
                }
                rest = rest.dropFirst(label.count)
                guard rest.hasPrefix("=\"") else { throw PeerError("no value of a label: \(line)") }
                rest = rest.dropFirst(2)
                labels[label] = try Self.value(&rest)
            } while rest.first == ","
            guard rest.first == "}" else { throw PeerError("labels without an end: \(line)") }
            rest.removeFirst()
        }
        guard rest.first == " " else { throw PeerError("no space before the number: \(line)") }
        return Sample(name: name, labels: labels, value: try Self.number(rest.dropFirst()))
    }

    /// A quoted text, behind its opening quote.
    private static func value(_ rest: inout Substring) throws -> String {
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return value
            case "\\":
                switch rest.popFirst() {
                case "\\": value += "\\"
                case "\"": value += "\""
                case "n": value += "\n"
                default: throw PeerError("an unknown escape")
                }
            default: value.append(character)
            }
        }
        throw PeerError("a text without an end")
    }

    private static func number(_ text: Substring) throws -> Double {
        switch text {
        case "+Inf": return .infinity
        case "-Inf": return -.infinity
        case "NaN": return .nan
        default:
            guard let value = Double(text), value.isFinite else { throw PeerError("no number: \(text)") }
            return value
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
    }

    /// Buckets are cumulative, begin at the lowest and end with all.
    private static func check(_ family: Family) throws {
        var buckets: [[String: String]: [(bound: Double, count: Double)]] = [:]
        for sample in family.samples where sample.name.hasSuffix("_bucket") {
            var labels = sample.labels
            guard let bound = labels.removeValue(forKey: "le") else { throw PeerError("a bucket without a bound") }
            buckets[labels, default: []].append((try Self.number(bound[...]), sample.value))
        }
        for (labels, buckets) in buckets {
            for (lower, upper) in zip(buckets, buckets.dropFirst()) {
                guard lower.bound < upper.bound, lower.count <= upper.count else {
                    throw PeerError("buckets of \(family.name) out of order")
                }
            }
            let count = family.samples.first { $0.name == family.name + "_count" && $0.labels == labels }
            let sum = family.samples.first { $0.name == family.name + "_sum" && $0.labels == labels }
            guard let last = buckets.last, last.bound == .infinity, last.count == count?.value, sum != nil else {
                throw PeerError("the buckets of \(family.name) do not end with its count")
            }
        }
    }
}

extension [String: PrometheusParser.Family] {
    /// The value of a series.
    func value(_ name: String, _ labels: [String: String] = [:], suffix: String = "") -> Double? {
        self[name]?.samples.first { $0.name == name + suffix && $0.labels == labels }?.value
    }
}
