import ArgumentParser

/// A time as an argument: `500ms`, `5s`, `1.5s`, `2m`, `1h`; seconds without a unit.
struct Interval: ExpressibleByArgument, Sendable {
    let duration: Duration

    init?(argument: String) {
        let units: [(String, Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)]
        guard let (unit, factor) = units.first(where: { argument.hasSuffix($0.0) }) else { return nil }
        let number = argument.dropLast(unit.count)
        guard !number.isEmpty, number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let value = Double(String(number))
        else { return nil }
        let seconds = value * factor
        guard seconds >= 0.001, seconds <= 365 * 86_400 else { return nil }
        self.duration = .milliseconds(Int64((seconds * 1000).rounded()))
    }

    init(seconds: Int) { self.duration = .seconds(seconds) }

    /// For the help, which shows defaults: those are whole seconds.
    var defaultValueDescription: String { "\(self.duration.components.seconds)s" }
}
