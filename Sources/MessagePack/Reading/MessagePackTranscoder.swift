import NIOCore
import SocketIOCore

/// From MessagePack to what Socket.IO sends, without making values in between.
package enum MessagePackTranscoder {
    /// What is not the same for all who send MessagePack.
    package struct Options: Sendable {
        /// How many attachments there may be then.
        package var maxAttachments = Int.max
        /// Whether members that are `undefined` in notepack.io 2 are left out, as from JSON. Else they are null.
        package var dropsUndefined = false

        package init() {}
    }

    /// Reads a value and appends it to `text` as JSON. Binary data is appended to `attachments`, and stands in the
    /// text as a placeholder with its index there.
    ///
    /// The text is the same as that of the value which the reader would have read, but for repeated keys: all are
    /// written. After an error the content of `text` and `attachments` is undefined.
    package static func json(
        from reader: inout MessagePackReader,
        attachments: inout [ByteBuffer],
        into text: inout ByteBuffer,
        options: Options = .init()
    ) throws(MessagePackError) {
        var writer = JSONWriter()
        // Whoever holds the only reference writes in place.
        swap(&writer.bytes, &text)
        swap(&writer.attachments, &attachments)
        defer {
            swap(&writer.bytes, &text)
            swap(&writer.attachments, &attachments)
        }
        try Self.json(from: &reader, into: &writer, options: options)
    }

    /// Reads a value and writes it as JSON, binary data as attachments whatever the writer's mode is.
    package static func json(
        from reader: inout MessagePackReader,
        into writer: inout JSONWriter,
        options: Options = .init()
    ) throws(MessagePackError) {
        var result: Result<Void, MessagePackError> = .success(())
        withUnsafeTemporaryAllocation(of: Level.self, capacity: reader.maxDepth) { levels in
            do throws(MessagePackError) {
                try Self.run(&reader, &writer, levels, options)
            } catch {
                result = .failure(error)
            }
        }
        try result.get()
    }

    /// An array or map that is open.
    private struct Level {
        /// Values to come, keys included.
        var rest: UInt32
        var isMap: Bool
        var isFirst = true
    }

    private static func run(
        _ reader: inout MessagePackReader,
        _ writer: inout JSONWriter,
        _ levels: UnsafeMutableBufferPointer<Level>,
        _ options: Options
    ) throws(MessagePackError) {
        var depth = 0
        repeat {
            if depth > 0 {
                let level = levels[depth &- 1]
                guard level.rest > 0 else {
                    writer.writeByte(UInt8(ascii: level.isMap ? "}" : "]"))
                    depth &-= 1
                    continue
                }
                if options.dropsUndefined, level.isMap, level.rest % 2 == 0, try Self.skipUndefined(&reader) {
                    levels[depth &- 1].rest &-= 2
                    continue
                }
                levels[depth &- 1].rest &-= 1
                levels[depth &- 1].isFirst = false
                if level.isMap, level.rest % 2 == 0 {
                    try Self.key(&reader, &writer, before: level.isFirst ? nil : UInt8(ascii: ","))
                    continue
                }
                if !level.isMap, !level.isFirst { writer.writeByte(UInt8(ascii: ",")) }
            }
            switch try reader.next() {
            case .null, .date(nil): writer.writeNull()
            case .bool(let value): writer.writeBool(value)
            case .int(let value): writer.writeInteger(value)
            case .double(let value): writer.writeDouble(value)
            case .string(let length): Self.string(&reader, length, &writer, before: nil, after: nil)
            case .binary(let length):
                guard writer.attachments.count < options.maxAttachments else {
                    throw MessagePackError(.tooManyAttachments)
                }
                Self.attach(reader.bytes(length), &writer)
            case .date(let milliseconds?): Self.date(milliseconds, &writer)
            case .array(let count):
                guard depth < levels.count, depth < reader.maxDepth else { throw MessagePackError(.tooDeep) }
                writer.writeByte(UInt8(ascii: "["))
                levels.initializeElement(at: depth, to: Level(rest: UInt32(clamping: count), isMap: false))
                depth &+= 1
            case .map(let count):
                guard depth < levels.count, depth < reader.maxDepth else { throw MessagePackError(.tooDeep) }
                writer.writeByte(UInt8(ascii: "{"))
                // Twice the count is at most the number of bytes left.
                levels.initializeElement(at: depth, to: Level(rest: UInt32(clamping: count &* 2), isMap: true))
                depth &+= 1
            }
        } while depth > 0
    }

    /// Goes past a member if it is `undefined`.
    private static func skipUndefined(_ reader: inout MessagePackReader) throws(MessagePackError) -> Bool {
        let start = reader.buffer.readerIndex
        try reader.skip()
        if reader.skipUndefined() { return true }
        reader.buffer.moveReaderIndex(to: start)
        return false
    }

    private static func key(
        _ reader: inout MessagePackReader,
        _ writer: inout JSONWriter,
        before: UInt8?
    ) throws(MessagePackError) {
        let start = reader.buffer.readerIndex
        if case .string(let length) = try reader.next() {
            return Self.string(&reader, length, &writer, before: before, after: UInt8(ascii: ":"))
        }
        reader.buffer.moveReaderIndex(to: start)
        var key = try reader.readText()
        key.withUTF8 {
            writer.writeString(utf8: UnsafeRawBufferPointer($0), before: before, after: UInt8(ascii: ":"))
        }
    }

    private static func string(
        _ reader: inout MessagePackReader,
        _ length: Int,
        _ writer: inout JSONWriter,
        before: UInt8?,
        after: UInt8?
    ) {
        reader.buffer.readWithUnsafeReadableBytes { bytes -> Int in
            let text = UnsafeRawBufferPointer(rebasing: bytes.prefix(length))
            if UTF8Check.isValid(text) {
                writer.writeString(utf8: text, before: before, after: after)
            } else {
                var repaired = String(decoding: text, as: UTF8.self)
                repaired.withUTF8 {
                    writer.writeString(utf8: UnsafeRawBufferPointer($0), before: before, after: after)
                }
            }
            return text.count
        }
    }

    private static func attach(_ bytes: ByteBuffer, _ writer: inout JSONWriter) {
        writer.writeRaw("{\"_placeholder\":true,\"num\":")
        writer.writeInteger(writer.attachments.count)
        writer.writeByte(UInt8(ascii: "}"))
        writer.attachments.append(bytes)
    }

    private static func date(_ milliseconds: Int64, _ writer: inout JSONWriter) {
        writer.writeByte(UInt8(ascii: "\""))
        writer.bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 27) { ISO8601.write(milliseconds, into: $0) }
        writer.writeByte(UInt8(ascii: "\""))
    }
}
