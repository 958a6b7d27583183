import Foundation
import NIOCore

/// Whether what a decoder makes of each input is printed: `accept …` or `refuse …`, for the comparison with the reference.
/// The variable `FUZZ_VERDICTS` turns it on.
public let printsVerdicts = ProcessInfo.processInfo.environment["FUZZ_VERDICTS"] != nil

/// Prints what was made of the input, if that was asked for.
public func verdict(_ text: @autoclosure () -> String) {
    // One line for each input.
    guard printsVerdicts else { return }
    print(String(decoding: text().utf8.flatMap { $0 == 0x0A ? Array("\\n".utf8) : [$0] }, as: UTF8.self))
}

/// Ends the process, as a crash would, unless `condition` holds: the fuzzer keeps the input.
public func demand(
    _ condition: @autoclosure () throws -> Bool, _ what: @autoclosure () -> String, line: UInt = #line
) {
    do {
        guard try condition() else { fatalError("line \(line): \(what())") }
    } catch {
        fatalError("line \(line): \(what()): \(error)")
    }
}

/// An input: some bytes that say how to decode, then what is decoded.
public struct FuzzInput {
    private var bytes: UnsafeRawBufferPointer

    public init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        self.bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    /// The next byte of those that say how; 0 behind the end.
    public mutating func option() -> UInt8 {
        guard let first = self.bytes.first else { return 0 }
        self.bytes = UnsafeRawBufferPointer(rebasing: self.bytes.dropFirst())
        return first
    }

    /// What is left, in storage of its own: reading past its end is found out.
    public var rest: ByteBuffer { ByteBuffer(bytes: self.bytes) }

    /// What is left, behind some bytes that were read already: offsets that forget the reader index are found out.
    public var shiftedRest: ByteBuffer {
        var buffer = ByteBuffer(bytes: [0x5B, 0x22])
        buffer.writeBytes(self.bytes)
        buffer.moveReaderIndex(forwardBy: 2)
        return buffer
    }
}

extension ByteBuffer {
    /// The bytes in pieces, each in storage of its own. A seed gives the same pieces each time; 0 gives single bytes.
    public func pieces(seed: UInt8) -> [ByteBuffer] {
        var rest = self
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
        var pieces: [ByteBuffer] = []
        while rest.readableBytes > 0 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let length = seed == 0 ? 1 : 1 + Int(state % 37)
            let piece = rest.readSlice(length: min(length, rest.readableBytes)) ?? ByteBuffer()
            pieces.append(ByteBuffer(bytes: piece.readableBytesView))
        }
        return pieces
    }

    /// The bytes between separators.
    public func split(_ separator: UInt8) -> [ByteBuffer] {
        self.readableBytesView.split(separator: separator, omittingEmptySubsequences: false)
            .map { ByteBuffer(bytes: $0) }
    }

    /// For verdicts.
    public var hex: String {
        self.readableBytesView.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
