import FuzzSupport
import NIOCore

@testable import RESP

/// What a Redis server says. However the stream is cut the same replies and the same error come of it, and the work stays
/// proportional to the bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let seed = input.option()
    let stream = input.rest
    let whole = parse([stream])
    let pieces = parse(stream.pieces(seed: seed))
    demand(pieces.outputs == whole.outputs && pieces.failed == whole.failed, "another result in pieces")
    demand(pieces.work <= 8 * stream.readableBytes + 64, "work of \(pieces.work)")
    verdict("\(whole)")
    return 0
}

private struct Parsed {
    var outputs: [RESPParser.Output] = []
    var failed = false
    var work = 0
}

private func parse(_ pieces: [ByteBuffer]) -> Parsed {
    var limits = RESPParser.Limits()
    limits.depth = 8
    limits.replyLength = 2048
    limits.bulkLength = 1024
    limits.elements = 256
    limits.lineLength = 256
    var parser = RESPParser(limits: limits)
    var result = Parsed()
    for piece in pieces where !result.failed {
        var buffer = piece
        do {
            while let output = try parser.next(from: &buffer) { result.outputs.append(output) }
        } catch {
            result.failed = true
        }
    }
    result.work = parser.workDone
    return result
}
