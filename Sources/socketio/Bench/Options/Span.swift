import ArgumentParser

/// A time as an argument, down to microseconds and none at all: `250us`, `20ms`, `1.5s`, `2m`, `1h`; seconds without a unit.
struct Span: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
    let nanoseconds: Int64

    private static let maxSeconds: Double = 86_400

    init?(argument: String) {
        let units: [(String, Double)] = [
            ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600), ("", 1),
        ]
        guard let (unit, factor) = units.first(where: { argument.hasSuffix($0.0) }) else { return nil }
        guard let value = PlainNumber.parse(argument.dropLast(unit.count)) else { return nil }
        let seconds = value * factor
        guard seconds <= Self.maxSeconds else { return nil }
        self.nanoseconds = Int64((seconds * 1e9).rounded())
    }

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    static func seconds(_ seconds: Int64) -> Span { Span(nanoseconds: seconds * 1_000_000_000) }

    var seconds: Double { Double(self.nanoseconds) / 1e9 }

    var defaultValueDescription: String { self.description }

    var description: String {
        switch self.nanoseconds {
        case let time where time % 1_000_000_000 == 0: "\(time / 1_000_000_000)s"
        case let time where time % 1_000_000 == 0: "\(time / 1_000_000)ms"
        default: "\(Double(self.nanoseconds) / 1e3)us"
        }
    }
}

/// A part of a whole: `0.5%`, or `0.005`.
struct Part: ExpressibleByArgument, Sendable, Equatable {
    let value: Double

    init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = PlainNumber.parse(isPercent ? argument.dropLast() : argument[...]) else { return nil }
        let value = isPercent ? number / 100 : number
        guard value <= 1 else { return nil }
        self.value = value
    }
}

enum PlainNumber {
    /// Digits with or without a point; no sign, no exponent.
    static func parse(_ text: Substring) -> Double? {
        guard !text.isEmpty, text.count <= 24, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) else {
            return nil
        }
        return Double(String(text))
    }
}
