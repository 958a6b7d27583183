import Foundation

/// A packet of Socket.IO 5 as a server must write it.
struct SIOPacket: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        case connect, disconnect, event, ack, connectError, binaryEvent, binaryAck
    }

    var kind: Kind
    /// Announced number of attachments.
    var attachmentCount = 0
    var namespace = "/"
    var id: Int?
    var json: String?
    var attachments: [[UInt8]] = []

    /// Reads the text part.
    init(parsing text: String) throws {
        var rest = text.utf8[...]
        guard let first = rest.popFirst(), let kind = Kind(rawValue: first &- UInt8(ascii: "0")) else {
            throw PeerError("no packet type in \"\(text.prefix(80))\"")
        }
        self.kind = kind
        if kind == .binaryEvent || kind == .binaryAck {
            guard let count = Self.number(&rest), rest.popFirst() == UInt8(ascii: "-"), count > 0 else {
                throw PeerError("no attachment count in \"\(text.prefix(80))\"")
            }
            attachmentCount = count
        }
        if rest.first == UInt8(ascii: "/") {
            guard let comma = rest.firstIndex(of: UInt8(ascii: ",")) else {
                throw PeerError("no comma behind the namespace in \"\(text.prefix(80))\"")
            }
            namespace = String(Substring(rest[..<comma]))
            guard namespace != "/" else { throw PeerError("the main namespace is written out: \"\(text.prefix(80))\"") }
            rest = rest[rest.index(after: comma)...]
        }
        id = Self.number(&rest)
        if !rest.isEmpty { json = String(Substring(rest)) }
        try check(text)
    }

    /// What is sent for a packet of the client.
    static func text(
        _ type: Int, attachments: Int = 0, namespace: String, id: Int? = nil, json: String? = nil
    ) -> String {
        var text = String(type)
        if attachments > 0 { text += "\(attachments)-" }
        if namespace != "/" { text += namespace + "," }
        if let id { text += String(id) }
        return text + (json ?? "")
    }

    private static func number(_ bytes: inout Substring.UTF8View) -> Int? {
        let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = Int(String(Substring(digits))) else { return nil }
        bytes = bytes[digits.endIndex...]
        return number
    }

    private func check(_ text: String) throws {
        let isRight =
            switch kind {
            case .connect: id == nil && json?.utf8.first == UInt8(ascii: "{")
            case .disconnect: id == nil && json == nil
            case .event, .binaryEvent: json?.utf8.first == UInt8(ascii: "[")
            case .ack, .binaryAck: id != nil && json?.utf8.first == UInt8(ascii: "[")
            case .connectError: id == nil && [UInt8(ascii: "{"), UInt8(ascii: "\"")].contains(json?.utf8.first)
            }
        guard isRight else { throw PeerError("a wrong packet \"\(text.prefix(80))\"") }
    }
}

/// Text as a JSON string.
package func jsonString(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": json += "\\\""
        case "\\": json += "\\\\"
        case "\u{00}"..."\u{1F}":
            let digits = String(scalar.value, radix: 16)
            json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: json.unicodeScalars.append(scalar)
        }
    }
    return json + "\""
}

/// The arguments of an event or an acknowledgement.
package struct SIOArguments: Sendable, Equatable, CustomStringConvertible {
    /// The JSON array of the packet as it came, with the event name in front if it is an event.
    package let json: String
    /// The attachments in the order of their numbers.
    package let attachments: [[UInt8]]
    /// Elements of the array that are not arguments: 1 for an event, else 0.
    private let skipped: Int

    init(_ packet: SIOPacket, skipped: Int) throws {
        json = packet.json ?? "[]"
        attachments = packet.attachments
        self.skipped = skipped
        guard try JSONSerialization.jsonObject(with: Data(json.utf8)) is [Any] else {
            throw PeerError("arguments that are no array: \(json)")
        }
    }

    /// The arguments as JSONSerialization gives them; placeholders are dictionaries.
    package var values: [Any] {
        let all = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [Any]
        return Array((all ?? []).dropFirst(skipped))
    }

    /// Number of arguments.
    package var count: Int { values.count }

    /// An argument, nil when there are not so many.
    package subscript(index: Int) -> Any? {
        let values = values
        return values.indices.contains(index) ? values[index] : nil
    }

    /// An argument that is a string.
    package func string(_ index: Int) -> String? { self[index] as? String }
    /// An argument that is an integer.
    package func int(_ index: Int) -> Int? { self[index] as? Int }
    /// An argument that is a number.
    package func double(_ index: Int) -> Double? { self[index] as? Double }
    /// An argument that is an object.
    package func object(_ index: Int) -> [String: Any]? { self[index] as? [String: Any] }

    /// The attachment that an argument is the placeholder of.
    package func bytes(_ index: Int) -> [UInt8]? { attachment(self[index]) }

    /// The attachment that a value anywhere in the arguments is the placeholder of.
    package func attachment(_ value: Any?) -> [UInt8]? {
        guard let object = value as? [String: Any], object.count == 2, object["_placeholder"] as? Bool == true,
            let number = object["num"] as? Int, attachments.indices.contains(number)
        else { return nil }
        return attachments[number]
    }

    package var description: String {
        json + (attachments.isEmpty ? "" : " + \(attachments.map(\.count)) bytes")
    }
}

/// An event from the server.
package struct SIOEvent: Sendable, CustomStringConvertible {
    /// The namespace it came in.
    package let namespace: String
    /// Its name.
    package let name: String
    /// Set when the server wants an acknowledgement.
    package let id: Int?
    /// What follows the name.
    package let arguments: SIOArguments

    init(_ packet: SIOPacket) throws {
        arguments = try SIOArguments(packet, skipped: 1)
        let all = try JSONSerialization.jsonObject(with: Data(arguments.json.utf8)) as? [Any]
        guard let name = all?.first as? String else { throw PeerError("an event without a name: \(arguments.json)") }
        self.name = name
        namespace = packet.namespace
        id = packet.id
    }

    package var description: String { "\(namespace) \(arguments)" + (id.map { " ack \($0)" } ?? "") }
}

/// The server refused a namespace.
package struct SIORefused: Error, CustomStringConvertible {
    /// The namespace.
    package let namespace: String
    /// The data of CONNECT_ERROR.
    package let json: String

    /// Its `message`.
    package var message: String? {
        (try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])?["message"] as? String
    }
    package var description: String { "\(namespace) refused: \(json)" }
}
