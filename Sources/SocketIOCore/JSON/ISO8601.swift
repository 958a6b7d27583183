/// Dates in the form in which JavaScript's `Date` writes and reads itself.
package enum ISO8601 {
    /// The greatest time, in milliseconds from 1970 and in both directions, that JavaScript's dates reach.
    package static let maxMilliseconds: Int64 = 8_640_000_000_000_000

    private static let millisecondsPerDay: Int64 = 86_400_000

    /// Writes `milliseconds` from 1970 as `YYYY-MM-DDTHH:mm:ss.sssZ`, with a sign and six digits for years outside
    /// 0…9999; returns the number of bytes, at most 27, or 0 if the time is out of range.
    package static func write(_ milliseconds: Int64, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard -Self.maxMilliseconds...Self.maxMilliseconds ~= milliseconds, output.count >= 27 else { return 0 }
        var day = milliseconds / Self.millisecondsPerDay
        var time = milliseconds % Self.millisecondsPerDay
        if time < 0 {
            day -= 1
            time += Self.millisecondsPerDay
        }
        let date = Self.date(ofDay: day)

        var count = 0
        func put(_ character: Unicode.Scalar) {
            output[count] = UInt8(truncatingIfNeeded: character.value)
            count += 1
        }
        func put(_ value: Int64, digits: Int) {
            var rest = value
            for index in (count..<count + digits).reversed() {
                output[index] = Byte.zero &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            count += digits
        }
        if 0...9999 ~= date.year {
            put(date.year, digits: 4)
        } else {
            put(date.year < 0 ? "-" : "+")
            put(abs(date.year), digits: 6)
        }
        put("-")
        put(date.month, digits: 2)
        put("-")
        put(date.day, digits: 2)
        put("T")
        put(time / 3_600_000, digits: 2)
        put(":")
        put(time / 60_000 % 60, digits: 2)
        put(":")
        put(time / 1000 % 60, digits: 2)
        put(".")
        put(time % 1000, digits: 3)
        put("Z")
        return count
    }

    /// Milliseconds from 1970 of a date as ISO 8601 writes it: `YYYY-MM-DD` (midnight UTC) or a date with `T`, the
    /// time to minutes, seconds or fractions, and `Z` or an offset `±HH:mm`. Years may have a sign and six digits.
    ///
    /// Digits beyond milliseconds are read and dropped.
    static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
        var index = 0
        func number(_ digits: Int) -> Int64? {
            guard text.count - index >= digits else { return nil }
            var value: Int64 = 0
            for _ in 0..<digits {
                guard Byte.isDigit(text[index]) else { return nil }
                value = value * 10 + Int64(text[index] - Byte.zero)
                index += 1
            }
            return value
        }
        func skip(_ character: Unicode.Scalar) -> Bool {
            guard index < text.count, UInt32(text[index]) == character.value else { return false }
            index += 1
            return true
        }

        let isNegative = skip("-")
        let isExtended = isNegative || skip("+")
        guard var year = number(isExtended ? 6 : 4), skip("-"), let month = number(2), skip("-"), let day = number(2),
            1...12 ~= month, 1...Self.days(inMonth: month, ofYear: isNegative ? -year : year) ~= day
        else { return nil }
        if isNegative {
            if year == 0 { return nil }
            year = -year
        }
        var result = Self.dayNumber(year: year, month: month, day: day) * Self.millisecondsPerDay
        guard index < text.count else { return Self.inRange(result) }

        guard skip("T") || skip("t") || skip(" "), let hour = number(2), skip(":"), let minute = number(2) else {
            return nil
        }
        var second: Int64 = 0
        var millisecond: Int64 = 0
        if skip(":") {
            guard let value = number(2) else { return nil }
            second = value
            if skip(".") {
                var scale: Int64 = 100
                let start = index
                while index < text.count, Byte.isDigit(text[index]) {
                    millisecond += Int64(text[index] - Byte.zero) * scale
                    scale /= 10
                    index += 1
                }
                guard index > start else { return nil }
            }
        }
        guard hour < 24 || (hour == 24 && minute == 0 && second == 0 && millisecond == 0), minute < 60, second < 60
        else { return nil }
        result += ((hour * 60 + minute) * 60 + second) * 1000 + millisecond

        if !(skip("Z") || skip("z")) {
            let isWest = skip("-")
            guard isWest || skip("+"), let hours = number(2) else { return nil }
            _ = skip(":")
            guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
            let offset = (hours * 60 + minutes) * 60_000
            result += isWest ? offset : -offset
        }
        return index == text.count ? Self.inRange(result) : nil
    }

    private static func inRange(_ milliseconds: Int64) -> Int64? {
        -Self.maxMilliseconds...Self.maxMilliseconds ~= milliseconds ? milliseconds : nil
    }

    private static func days(inMonth month: Int64, ofYear year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Both directions count years from March, so that the leap day is the last of its year, in cycles of 400 years.

    private static let daysPerCycle: Int64 = 146_097
    /// Days from 0000-03-01 to 1970-01-01.
    private static let epoch: Int64 = 719_468

    /// Days from 1970-01-01 in the proleptic Gregorian calendar.
    private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month < 3 ? year - 1 : year
        let cycle = Self.floorDivide(marchYear, 400)
        let yearOfCycle = marchYear - cycle * 400
        let marchMonth = (month + 9) % 12
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        return cycle * Self.daysPerCycle + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
            - Self.epoch
    }

    private static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = number + Self.epoch
        let cycle = Self.floorDivide(shifted, Self.daysPerCycle)
        let dayOfCycle = shifted - cycle * Self.daysPerCycle
        // 1460, 36 524 and 146 096 are the leap days of 4, 100 and 400 years, counted from zero.
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (cycle * 400 + yearOfCycle + (month < 3 ? 1 : 0), month, day)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
