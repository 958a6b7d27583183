import NIOHTTP1
import SocketIO
import SocketIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Sockets as they travel in answers to `fetchSockets`: `{id, handshake, rooms, data}`, keys in the reference's order.
extension SocketDescription {
    var value: SocketIOValue {
        let own = Room(self.id)
        var rooms: [SocketIOValue] = self.rooms.contains(own) ? [.string(self.id)] : []
        for name in self.rooms.lazy.filter({ $0 != own }).map(\.name).sorted() { rooms.append(.string(name)) }
        var data = SocketIOValue.Object()
        for (key, value) in self.data.sorted(by: { $0.key < $1.key }) { data[key] = value }
        return [
            "id": .string(self.id),
            "handshake": self.handshake.value,
            "rooms": .array(rooms),
            "data": .object(data),
        ]
    }

    /// Nil if it is not one. What the handshake lacks is left at its default.
    init?(_ value: SocketIOValue) {
        guard let id = value["id"]?.stringValue else { return nil }
        var data: [String: SocketIOValue] = [:]
        for (key, value) in value["data"]?.objectValue ?? [:] { data[key] = value }
        self.init(
            id: id,
            handshake: Handshake(value["handshake"] ?? .null),
            rooms: Set(value["rooms"]?.arrayValue?.compactMap { Room($0) } ?? []),
            data: data
        )
    }
}

extension Room {
    /// A room in a message: a text, or a number, which JavaScript allows.
    init?(_ value: SocketIOValue) {
        switch value {
        case .string(let name): self.init(name)
        case .int(let number): self.init(String(number))
        case .double: self.init(value.description)
        default: return nil
        }
    }
}

extension Handshake {
    fileprivate var value: SocketIOValue {
        var headers = SocketIOValue.Object()
        for header in self.headers {
            let name = header.name.lowercased()
            if name == "set-cookie" {
                let others = headers[name]?.arrayValue ?? []
                headers[name] = .array(others + [.string(header.value)])
            } else if let first = headers[name]?.stringValue {
                headers[name] = .string("\(first)\(name == "cookie" ? "; " : ", ")\(header.value)")
            } else {
                headers[name] = .string(header.value)
            }
        }
        var query = SocketIOValue.Object()
        for (key, value) in self.query.sorted(by: { $0.key < $1.key }) { query[key] = .string(value) }
        return [
            "headers": .object(headers),
            "time": .string(JavaScriptDate.text(self.time)),
            "address": .string(self.address),
            "xdomain": .bool(self.xdomain),
            "secure": .bool(self.secure),
            "issued": .int(JavaScriptDate.milliseconds(self.time)),
            "url": .string(self.url),
            "query": .object(query),
            // A client that sends nothing is one that sends an empty object, in JavaScript.
            "auth": self.auth.isNull ? [:] : self.auth,
        ]
    }

    fileprivate init(_ value: SocketIOValue) {
        var headers = HTTPHeaders()
        // Names that are not ASCII would be fatal.
        for (name, value) in value["headers"]?.objectValue ?? [:] where name.utf8.allSatisfy({ $0 < 0x80 }) {
            for text in value.arrayValue ?? [value] { headers.add(name: name, value: text.text) }
        }
        var query: [String: String] = [:]
        for (key, value) in value["query"]?.objectValue ?? [:] { query[key] = (value[0] ?? value).text }
        // Beyond this JavaScript has no dates.
        let issued = value["issued"]?.doubleValue ?? 0
        self.init(
            headers: headers,
            query: query,
            auth: value["auth"] ?? .null,
            address: value["address"]?.stringValue ?? "",
            time: Date(timeIntervalSince1970: abs(issued) <= 8.64e15 ? issued / 1000 : 0),
            secure: value["secure"]?.boolValue ?? false,
            xdomain: value["xdomain"]?.boolValue ?? false,
            url: value["url"]?.stringValue ?? ""
        )
    }
}

extension SocketIOValue {
    /// A string as it is, anything else as JSON.
    fileprivate var text: String { self.stringValue ?? self.description }

    /// As JSON has it: binary data in the form of Node.js' `Buffer`, `{"type":"Buffer","data":[…]}`.
    var withoutBinary: SocketIOValue {
        switch self {
        case .binary(let bytes):
            ["type": "Buffer", "data": .array(bytes.readableBytesView.map { .int(Int($0)) })]
        case .array(let elements): .array(elements.map(\.withoutBinary))
        case .object(let object): .object(Object(object.lazy.map { ($0.key, $0.value.withoutBinary) }))
        default: self
        }
    }
}

/// Dates in the form of `Date.prototype.toString`, which handshakes carry.
enum JavaScriptDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func milliseconds(_ date: Date) -> Int {
        let milliseconds = date.timeIntervalSince1970 * 1000
        guard abs(milliseconds) <= 8.64e15 else { return 0 }
        return Int(milliseconds.rounded(.down))
    }

    /// `Sun Nov 22 2026 08:41:30 GMT+0000 (Coordinated Universal Time)`
    static func text(_ date: Date) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let seconds = Self.floor(Self.milliseconds(date), 1000).quotient
        let (day, time) = Self.floor(seconds, 86_400)
        let (year, month, monthDay) = Self.civil(day)
        let weekday = Self.days[Self.floor(day, 7).remainder]
        let clock = "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))"
        return "\(weekday) \(Self.months[month - 1]) \(two(monthDay)) \(year) \(clock)"
            + " GMT+0000 (Coordinated Universal Time)"
    }

    private static func floor(_ value: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let remainder = (value % divisor + divisor) % divisor
        return ((value - remainder) / divisor, remainder)
    }

    /// The date of a day since 1970, in the Gregorian calendar: counted from a March 1st, so that leap days come last.
    private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = Self.floor(day + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
