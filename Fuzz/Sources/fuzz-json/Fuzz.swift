import Foundation
import FuzzSupport
import NIOCore

@testable import SocketIOCore

/// One JSON text. The checked text is read as a value and as types; values written and read again are the same; what we accept
/// Foundation accepts.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = FuzzInput(start, count).shiftedRest
    // What is no UTF-8 is refused before it comes here.
    guard String(validating: text.readableBytesView, as: UTF8.self) != nil else {
        verdict("no UTF-8")
        return 0
    }
    guard let summary = try? text.withUnsafeReadableBytes({ JSONScan.scan($0, maxDepth: 64) }).get(),
        let bytes = text.getSlice(at: text.readerIndex + summary.range.lowerBound, length: summary.range.count)
    else {
        verdict("refuse")
        return 0
    }
    var reader = ArgumentReader(value: bytes, attachments: [])
    guard let value = try? reader.nextValue() else { fatalError("an accepted text that can't be read") }

    let written = json(value)
    var second = ArgumentReader(value: written, attachments: [])
    demand(json(try second.nextValue()) == written, "a value that changes")
    verdict("accept " + String(buffer: written))

    // Through Codable, both ways.
    if let coded = try? SocketIOValue(encoding: value) {
        demand(json(coded) == written, "a value that Codable changes")
    }

    demand(isAcceptedByFoundation(bytes), "only we accept it")
    return 0
}

private func isAcceptedByFoundation(_ text: ByteBuffer) -> Bool {
    // Surrogates without a partner are text in JavaScript, and no text for Foundation.
    let lower = String(buffer: text).lowercased()
    if ["8", "9", "a", "b", "c", "d", "e", "f"].contains(where: { lower.contains("\\ud" + $0) }) { return true }
    do {
        _ = try JSONSerialization.jsonObject(with: Data(text.readableBytesView), options: [.fragmentsAllowed])
        return true
    } catch let error as NSError {
        // Numbers that no Double holds are infinite in JavaScript.
        return (error.userInfo[NSDebugDescriptionErrorKey] as? String ?? "").hasPrefix("Number ")
    }
}

/// Values are compared by their text: a large number may be read as a double and, from the digits that it is written with, as an
/// integer that is a little beside it.
private func json(_ value: SocketIOValue) -> ByteBuffer {
    var writer = JSONWriter()
    demand((try writer.write(value)) == (), "a value that can't be written")
    return writer.bytes
}
