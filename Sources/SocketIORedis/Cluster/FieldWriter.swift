import MessagePack
import NIOCore
import SocketIOCore

/// Writes a message in one of its two forms, field by field in the reference's order.
protocol FieldWriter {
    /// Begins an object of so many members.
    mutating func openObject(_ count: Int)
    mutating func closeObject()
    mutating func openArray(_ count: Int)
    mutating func closeArray()
    mutating func key(_ key: String)
    mutating func string(_ text: String)
    mutating func integer(_ number: Int)
    mutating func bool(_ value: Bool)
    mutating func value(_ value: SocketIOValue) throws(SocketIOError)
    /// An event's array, which is JSON already.
    mutating func event(_ event: ClusterEvent) throws(SocketIOError)
}

/// Writes JSON. Binary data becomes what Node.js' `Buffer` writes itself as.
struct JSONFieldWriter: FieldWriter {
    private var json: JSONWriter
    /// Nothing was written at this level yet.
    private var isFirst = true
    private var isAfterKey = false

    init(reserving size: Int = 192) {
        self.json = JSONWriter(reserving: size)
        self.json.binaryMode = .forbidden
    }

    var buffer: ByteBuffer { self.json.bytes }

    private mutating func separate() {
        if !self.isFirst, !self.isAfterKey { self.json.writeByte(UInt8(ascii: ",")) }
        self.isFirst = false
        self.isAfterKey = false
    }

    mutating func openObject(_ count: Int) {
        self.separate()
        self.json.writeByte(UInt8(ascii: "{"))
        self.isFirst = true
    }

    mutating func closeObject() {
        self.json.writeByte(UInt8(ascii: "}"))
        self.isFirst = false
    }

    mutating func openArray(_ count: Int) {
        self.separate()
        self.json.writeByte(UInt8(ascii: "["))
        self.isFirst = true
    }

    mutating func closeArray() {
        self.json.writeByte(UInt8(ascii: "]"))
        self.isFirst = false
    }

    mutating func key(_ key: String) {
        self.separate()
        self.json.writeString(key)
        self.json.writeByte(UInt8(ascii: ":"))
        self.isAfterKey = true
    }

    mutating func string(_ text: String) {
        self.separate()
        self.json.writeString(text)
    }

    mutating func integer(_ number: Int) {
        self.separate()
        self.json.writeInteger(number)
    }

    mutating func bool(_ value: Bool) {
        self.separate()
        self.json.writeBool(value)
    }

    mutating func value(_ value: SocketIOValue) throws(SocketIOError) {
        self.separate()
        try self.json.write(value.containsBinary ? value.withoutBinary : value)
    }

    mutating func event(_ event: ClusterEvent) throws(SocketIOError) {
        guard event.hasBinary else {
            self.separate()
            let text = try event.text().json
            self.json.bytes.writeImmutableBuffer(text)
            return
        }
        try self.value(.array(try event.values()))
    }
}

/// Writes MessagePack.
struct MessagePackFieldWriter: FieldWriter {
    private var writer: MessagePackWriter
    private let omitsForbiddenKeys: Bool

    /// - Parameter omitsForbiddenKeys: Leaves members with a ``ForbiddenKey`` out of values; events are written as they are.
    init(_ dialect: MessagePackDialect, omitsForbiddenKeys: Bool = false) {
        self.writer = MessagePackWriter(dialect)
        self.omitsForbiddenKeys = omitsForbiddenKeys
    }

    var buffer: ByteBuffer { self.writer.buffer }

    mutating func openObject(_ count: Int) { self.writer.writeMapHeader(count) }
    mutating func closeObject() {}
    mutating func openArray(_ count: Int) { self.writer.writeArrayHeader(count) }
    mutating func closeArray() {}
    mutating func key(_ key: String) { self.writer.write(key) }
    mutating func string(_ text: String) { self.writer.write(text) }
    mutating func integer(_ number: Int) { self.writer.write(number) }
    mutating func bool(_ value: Bool) { self.writer.writeBool(value) }

    mutating func value(_ value: SocketIOValue) throws(SocketIOError) {
        let value = self.omitsForbiddenKeys ? ForbiddenKey.removed(from: value) : value
        do { try self.writer.write(value) } catch { throw Self.failure(error) }
    }

    mutating func event(_ event: ClusterEvent) throws(SocketIOError) {
        let (json, attachments) = try event.text()
        do { try self.writer.writeJSON(json, attachments: attachments) } catch { throw Self.failure(error) }
    }

    private static func failure(_ error: any Error) -> SocketIOError {
        SocketIOError(.encodingFailed, "a message to other servers can't be encoded", cause: error)
    }
}
