/// Dates as cookies have them.
enum HTTPDate {
    /// Seconds since 1970 of `Wed, 09 Jun 2021 10:18:14 GMT` and its older spellings (RFC 6265 §5.1.1); nil if a part is missing.
    static func parse(_ text: String) -> Int64? {
        var day: Int?
        var month: Int?
        var year: Int?
        var time: Int?
        for token in text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "-" || $0 == "\t" }) {
            if time == nil, let seconds = Self.time(token) {
                time = seconds
            } else if day == nil, token.utf8.count <= 2, let number = Int(token) {
                day = number
            } else if month == nil, let index = Self.months.firstIndex(of: token.prefix(3).lowercased()) {
                month = index + 1
            } else if year == nil, token.utf8.count == 2 || token.utf8.count == 4, let number = Int(token) {
                year = token.utf8.count == 4 ? number : number + (number < 70 ? 2000 : 1900)
            }
        }
        guard let day, let month, let year, let time, (1...31).contains(day), (1601...9999).contains(year) else {
            return nil
        }
        return Int64(Self.days(year: year, month: month, day: day) * 86_400 + time)
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    private static func time(_ token: Substring) -> Int? {
        let parts = token.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = Int(parts[0]), let minute = Int(parts[1]), let second = Int(parts[2]),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// Days since 1970 in the Gregorian calendar. The arguments are in range.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
