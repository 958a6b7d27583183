import NIOCore
import SocketIOCore

/// Extensions: dates in the forms of all libraries, and what only notepack.io 2 writes.
///
/// The libraries' decoders turn a type that they do not know into an array or a map of their own. None of their encoders
/// writes one, so here it is an error.
extension MessagePackReader {
    /// Goes past the `undefined` of notepack.io 2; false, without moving, if the next value is another.
    mutating func skipUndefined() -> Bool {
        let start = self.buffer.readerIndex
        guard self.buffer.readableBytes >= 3, self.buffer.getInteger(at: start) == 0xD4 as UInt8,
            self.buffer.getInteger(at: start + 1) == 0 as UInt8
        else { return false }
        self.buffer.moveReaderIndex(forwardBy: 3)
        return true
    }

    /// Reads an extension of 1, 2, 4, 8 or 16 bytes, the type being next.
    mutating func fixedExtension(_ length: Int) throws(MessagePackError) -> MessagePackToken {
        guard let type: Int8 = self.buffer.readInteger() else { throw MessagePackError(.truncated) }
        guard length <= self.buffer.readableBytes else { throw MessagePackError(.truncated) }
        switch (type, length) {
        case (0, 1):
            // `undefined` of notepack.io 2, whatever the byte is.
            self.buffer.moveReaderIndex(forwardBy: 1)
            return .null
        case (0, 8):
            // A date of notepack.io 2: signed milliseconds.
            let milliseconds = self.buffer.readInteger(as: Int64.self)
            return .date(milliseconds.flatMap(Self.inRange))
        case (0, _): return .binary(length)
        case (-1, _): return try self.timestamp(length)
        default: throw MessagePackError(.unknownExtension)
        }
    }

    /// Reads an extension whose length came before the type.
    mutating func extended(_ length: Int) throws(MessagePackError) -> MessagePackToken {
        guard let type: Int8 = self.buffer.readInteger() else { throw MessagePackError(.truncated) }
        guard length <= self.buffer.readableBytes else { throw MessagePackError(.truncated) }
        switch type {
        // An `ArrayBuffer` of notepack.io 2.
        case 0: return .binary(length)
        case -1: return try self.timestamp(length)
        default: throw MessagePackError(.unknownExtension)
        }
    }

    /// Reads the content of the timestamp extension.
    private mutating func timestamp(_ length: Int) throws(MessagePackError) -> MessagePackToken {
        switch length {
        case 4:
            guard let seconds: UInt32 = self.buffer.readInteger() else { break }
            return .date(Self.milliseconds(Int64(seconds), nanoseconds: 0))
        case 8:
            guard let word: UInt64 = self.buffer.readInteger() else { break }
            return .date(Self.milliseconds(Int64(word & 0x3_FFFF_FFFF), nanoseconds: Int64(word >> 34)))
        case 12:
            guard let nanoseconds: UInt32 = self.buffer.readInteger(), let seconds: Int64 = self.buffer.readInteger()
            else { break }
            return .date(Self.milliseconds(seconds, nanoseconds: Int64(nanoseconds)))
        default: throw MessagePackError(.unknownExtension)
        }
        throw MessagePackError(.truncated)
    }

    /// The time of a JavaScript `Date` made of these, which drops fractions of milliseconds towards 1970; `nil` out of
    /// its range.
    private static func milliseconds(_ seconds: Int64, nanoseconds: Int64) -> Int64? {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow, Self.inRange(whole) != nil else { return nil }
        var result = whole &+ nanoseconds / 1_000_000
        if result < 0, nanoseconds % 1_000_000 > 0 { result &+= 1 }
        return Self.inRange(result)
    }

    private static func inRange(_ milliseconds: Int64) -> Int64? {
        milliseconds.magnitude <= ISO8601.maxMilliseconds.magnitude ? milliseconds : nil
    }
}
