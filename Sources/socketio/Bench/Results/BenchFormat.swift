/// Numbers for people.
enum BenchFormat {
    /// `12,345`.
    static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return number < 0 ? "-" + result : result
    }

    /// `1,000`, `999.7`, `0.25`.
    static func rate(_ rate: Double) -> String {
        guard rate < 1000 else { return Self.count(Int(min(rate.rounded(), 1e15))) }
        return Self.decimal(rate, rate < 10 ? 2 : 1, trimmed: true)
    }

    /// Milliseconds with three or more digits that count.
    static func milliseconds(_ nanoseconds: Int64) -> String {
        let value = Double(nanoseconds) / 1e6
        return Self.decimal(value, value < 10 ? 3 : value < 100 ? 2 : 1)
    }

    static func percent(_ part: Double) -> String { Self.decimal(part * 100, 3, trimmed: true) + " %" }

    static func decimal(_ value: Double, _ places: Int, trimmed: Bool = false) -> String {
        let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
        let scaled = Int((min(max(value, 0), 1e12) * factor).rounded())
        let whole = Self.count(scaled / Int(factor))
        var fraction = String(scaled % Int(factor))
        fraction = String(repeating: "0", count: max(0, places - fraction.count)) + fraction
        if trimmed { while fraction.hasSuffix("0") { fraction.removeLast() } }
        return fraction.isEmpty || places == 0 ? whole : whole + "." + fraction
    }
}
