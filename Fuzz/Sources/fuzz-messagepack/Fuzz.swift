import FuzzSupport
import NIOCore

@testable import MessagePack
@testable import SocketIOCore

/// One value. Reading it, skipping it and transcoding it to JSON agree; what was read can be written in both dialects and
/// read again; the JSON of it, or the input taken for JSON, goes the other way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = FuzzInput(start, count)
    let bytes = input.shiftedRest
    let value = Result { try read(bytes) }
    var reader = MessagePackReader(bytes)
    let skipped = Result {
        try reader.skip()
        try reader.expectEnd()
    }
    let text = Result { try transcode(bytes) }
    switch (value, text) {
    case (.success(let value), .success(let text)):
        if case .failure(let error) = skipped { demand(false, "can't be skipped: \(error)") }
        // Repeated keys are all in the text.
        var arguments = ArgumentReader(value: text.json, attachments: text.attachments)
        let again = try? arguments.nextValue()
        demand(again.map(json) == json(value), "another value by way of JSON")
        for dialect in [MessagePackDialect.notepack3, .msgpackJS] {
            var writer = MessagePackWriter(dialect)
            demand((try writer.write(value)) == (), "can't be written")
            let second = writer.buffer
            demand(json(try read(second)) == json(value), "a value that changes")
        }
        verdict("accept " + String(buffer: json(value)))
    case (.failure(let left), .failure(let right)):
        demand(
            left as? MessagePackError == right as? MessagePackError && left is MessagePackError, "\(left) or \(right)")
        verdict("refuse")
    default: demand(false, "\(value) or \(text)")
    }

    guard String(validating: input.rest.readableBytesView, as: UTF8.self) != nil else { return 0 }
    var writer = MessagePackWriter(.msgpackJS)
    if (try? writer.writeJSON(bytes, attachments: [ByteBuffer(bytes: [1])])) == nil {
        demand(writer.buffer.readableBytes == 0, "a refused text that was written")
    } else {
        let written = writer.buffer
        demand((try read(written)) is SocketIOValue, "written, but can't be read")
    }
    return 0
}

private func read(_ bytes: ByteBuffer) throws -> SocketIOValue {
    var reader = MessagePackReader(bytes)
    let value = try reader.read()
    try reader.expectEnd()
    return value
}

private func transcode(_ bytes: ByteBuffer) throws -> (json: ByteBuffer, attachments: [ByteBuffer]) {
    var reader = MessagePackReader(bytes)
    var json = ByteBuffer()
    var attachments: [ByteBuffer] = []
    try MessagePackTranscoder.json(from: &reader, attachments: &attachments, into: &json)
    try reader.expectEnd()
    return (json, attachments)
}

/// Values are compared by their text: numbers of different kinds may mean the same.
private func json(_ value: SocketIOValue) -> ByteBuffer {
    var writer = JSONWriter()
    demand((try writer.write(value)) == (), "can't be written as JSON")
    return writer.bytes
}
