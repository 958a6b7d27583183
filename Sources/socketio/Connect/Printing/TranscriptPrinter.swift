import SocketIOClient

/// Turns what happens into lines.
struct TranscriptPrinter: Sendable {
    /// A line without its end, safe for a terminal.
    struct Line: Sendable, Equatable {
        var text: String
        /// Whether it is an event or an answer: what goes to standard output. The rest is for people.
        var isResult: Bool
    }

    var palette = Palette.plain
    /// Events and answers as JSON objects, with all of their binary data.
    var isJSON = false
    /// The time of day of a number of milliseconds since 1970.
    var timeOfDay: @Sendable (Int64) -> String

    /// Bytes of binary data that are shown to people.
    private static let shownBinaryBytes = 48

    func line(_ occurrence: Occurrence) -> Line {
        switch occurrence.kind {
        case .event(let name, let arguments):
            if self.isJSON { return self.json("event", name, arguments, occurrence.milliseconds) }
            return Line(text: self.message(occurrence, "<", .incoming, name, arguments), isResult: true)
        case .answer(let name, let arguments):
            if self.isJSON { return self.json("ack", name, arguments, occurrence.milliseconds) }
            return Line(text: self.message(occurrence, "=", .answer, name, arguments), isResult: true)
        case .sent(let name, let arguments):
            return Line(text: self.message(occurrence, ">", .outgoing, name, arguments), isResult: false)
        case .connected(let id, let transport, let isRecovered):
            let suffix = isRecovered ? ", with what was missed" : ""
            return self.status(occurrence, "connected over \(transport), id \(id)\(suffix)")
        case .upgraded: return self.status(occurrence, "upgraded to websocket")
        case .disconnected(let reason, let willReconnect):
            return self.status(occurrence, "disconnected: \(reason)\(willReconnect ? "; connecting again" : "")")
        case .reconnecting(let attempt): return self.status(occurrence, "connecting again, attempt \(attempt)")
        case .notConnected(let reason): return self.status(occurrence, "not connected: \(reason)", .failure)
        case .failure(let reason), .unanswered(let reason): return self.status(occurrence, reason, .failure)
        case .note(let text): return self.status(occurrence, text)
        }
    }

    private func message(
        _ occurrence: Occurrence, _ mark: String, _ role: Palette.Role, _ name: String, _ arguments: [SocketIOValue]
    ) -> String {
        let values = ValuePrinter(palette: self.palette, maxBinaryBytes: Self.shownBinaryBytes)
        let parts = [
            self.time(occurrence), self.palette.paint(mark, role), self.palette.paint(Self.name(name), .name),
            values.text(arguments),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func status(_ occurrence: Occurrence, _ text: String, _ role: Palette.Role = .status) -> Line {
        Line(
            text: "\(self.time(occurrence)) \(self.palette.paint(SafeText.escape(text), role))", isResult: false)
    }

    private func time(_ occurrence: Occurrence) -> String {
        self.palette.paint(self.timeOfDay(occurrence.milliseconds), .time)
    }

    private func json(_ type: String, _ name: String, _ arguments: [SocketIOValue], _ milliseconds: Int64) -> Line {
        let object: SocketIOValue = [
            "time": .string(WallClock.iso8601(milliseconds)), "type": .string(type), "event": .string(name),
            "args": .array(arguments),
        ]
        return Line(text: ValuePrinter().text(object), isResult: true)
    }

    /// A name as it can be typed: bare if it is one word, else in quotes.
    static func name(_ name: String) -> String {
        let isBare =
            !name.isEmpty
            && name.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || "0123456789-_.:".unicodeScalars.contains($0)
            }
        return isBare ? name : SafeText.quote(name)
    }
}
