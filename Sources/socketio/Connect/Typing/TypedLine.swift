import NIOCore
import SocketIOClient

/// What a line means that the user has typed.
///
/// An event is its name, bare or as a JSON string, and arguments behind spaces: JSON, or `@file` for the bytes of a file. With
/// `?` before it, its answer is wanted. What begins with a slash is a command.
enum TypedLine: Equatable {
    case nothing
    case event(TypedEvent)
    case command(Command)

    enum Command: String, CaseIterable {
        case help, connect, disconnect, quit
    }

    init(_ line: String) throws(LineFault) {
        var parser = TypedLineParser(line)
        self = try parser.line()
    }
}

/// An event to be sent.
struct TypedEvent: Equatable, Sendable {
    enum Argument: Equatable, Sendable {
        case value(SocketIOValue)
        case file(String)
    }

    var name: String
    var arguments: [Argument] = []
    var wantsAnswer = false

    /// A line that must be an event.
    static func parse(_ line: String) throws(LineFault) -> TypedEvent {
        guard case .event(let event) = try TypedLine(line) else { throw LineFault(0, "an event is expected here") }
        return event
    }

    /// The arguments with the files' bytes.
    ///
    /// - Parameter standardInput: whether `@-` may stand for it.
    /// - Throws: ``CommandFailure``.
    func values(standardInput: Bool) throws -> [SocketIOValue] {
        try self.arguments.map { argument in
            switch argument {
            case .value(let value): return value
            case .file("-") where !standardInput:
                throw CommandFailure("socketio: @-: standard input is read for lines; a file of this name is @./-")
            case .file(let name): return .binary(try InputFile.read(name))
            }
        }
    }
}

private struct TypedLineParser {
    private let bytes: [UInt8]
    private var index = 0

    init(_ line: String) { self.bytes = Array(line.utf8) }

    private var current: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    mutating func line() throws(LineFault) -> TypedLine {
        self.skipSpace()
        switch self.current {
        case nil: return .nothing
        case UInt8(ascii: "/"): return try self.command()
        case UInt8(ascii: "?"):
            self.index += 1
            self.skipSpace()
            guard self.current != nil else { throw LineFault(self.index, "the event's name is missing") }
            return .event(try self.event(wantsAnswer: true))
        default: return .event(try self.event(wantsAnswer: false))
        }
    }

    private mutating func command() throws(LineFault) -> TypedLine {
        let start = self.index
        self.index += 1
        let name = self.word()
        if name == "ack" {
            self.skipSpace()
            guard self.current != nil else { throw LineFault(self.index, "the event's name is missing") }
            return .event(try self.event(wantsAnswer: true))
        }
        guard let command = TypedLine.Command(rawValue: name == "exit" ? "quit" : name) else {
            throw LineFault(
                start,
                "there is no such command, /help lists them; the name of an event that begins so stands in quotes")
        }
        self.skipSpace()
        guard self.current == nil else { throw LineFault(self.index, "nothing may follow /\(name)") }
        return .command(command)
    }

    private mutating func event(wantsAnswer: Bool) throws(LineFault) -> TypedEvent {
        let start = self.index
        let name = try self.name()
        if ReservedEvents.contains(name) {
            throw LineFault(start, "the protocol keeps this name for itself")
        }
        var event = TypedEvent(name: name, wantsAnswer: wantsAnswer)
        while true {
            let end = self.index
            self.skipSpace()
            guard let byte = self.current else { return event }
            guard self.index > end else {
                throw LineFault(
                    self.index, byte == UInt8(ascii: ",") ? "a space, no comma, stands here" : "a space is missing here"
                )
            }
            event.arguments.append(try self.argument(byte))
        }
    }

    private mutating func name() throws(LineFault) -> String {
        let start = self.index
        switch self.current {
        case UInt8(ascii: "\""):
            self.index = try JSONProbe.end(ofValueAt: start, in: self.bytes)
            return try self.decode(start).stringValue ?? ""
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "@"):
            throw LineFault(start, "the event's name comes first; one that begins so stands in quotes")
        default: break
        }
        let name = self.word()
        if let quote = name.utf8.firstIndex(of: UInt8(ascii: "\"")) {
            let offset = name.utf8.distance(from: name.utf8.startIndex, to: quote)
            throw LineFault(start + offset, "a space is missing here")
        }
        return name
    }

    private mutating func argument(_ first: UInt8) throws(LineFault) -> TypedEvent.Argument {
        guard first == UInt8(ascii: "@") else {
            let start = self.index
            self.index = try JSONProbe.end(ofValueAt: start, in: self.bytes)
            return .value(try self.decode(start))
        }
        self.index += 1
        let start = self.index
        if self.current == UInt8(ascii: "\"") {
            self.index = try JSONProbe.end(ofValueAt: start, in: self.bytes)
            return .file(try self.decode(start).stringValue ?? "")
        }
        let file = self.word()
        guard !file.isEmpty else { throw LineFault(start, "the file's name is missing") }
        return .file(file)
    }

    /// The value that the probe has passed over.
    private func decode(_ start: Int) throws(LineFault) -> SocketIOValue {
        var array = ByteBuffer(string: "[")
        array.writeBytes(self.bytes[start..<self.index])
        array.writeString("]")
        do {
            var reader = try ArgumentReader(checking: array, maxDepth: JSONProbe.maxDepth + 2)
            return try reader.nextValue()
        } catch {
            throw LineFault(start, "this is no JSON")
        }
    }

    /// Up to the next white space.
    private mutating func word() -> String {
        let start = self.index
        while let byte = self.current, !Self.isSpace(byte) { self.index += 1 }
        return String(decoding: self.bytes[start..<self.index], as: UTF8.self)
    }

    private mutating func skipSpace() {
        while let byte = self.current, Self.isSpace(byte) { self.index += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
