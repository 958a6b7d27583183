import NIOCore
import SocketIOClient

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Writes values as JSON on one line that a terminal can be given. Binary data is written as
/// `{"$binary":"base64","bytes":3}`.
struct ValuePrinter: Sendable {
    var palette = Palette.plain
    /// Of longer binary data only the beginning is written, with `…`. Default nil: all of it.
    var maxBinaryBytes: Int?

    func text(_ value: SocketIOValue) -> String {
        var output = ""
        self.write(value, to: &output)
        return output
    }

    /// Values with spaces between them, as they are typed.
    func text(_ values: [SocketIOValue]) -> String { values.map { self.text($0) }.joined(separator: " ") }

    /// As deep as the value is; what comes from outside is bounded by the decoder.
    func write(_ value: SocketIOValue, to output: inout String) {
        switch value {
        case .null, .bool: output += self.palette.paint(value.description, .word)
        case .int, .double: output += self.palette.paint(value.description, .number)
        case .string(let text): output += self.palette.paint(SafeText.quote(text), .text)
        case .binary(let bytes): self.write(bytes, to: &output)
        case .array(let elements):
            output += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { output += "," }
                self.write(element, to: &output)
            }
            output += "]"
        case .object(let members):
            output += "{"
            var isFirst = true
            for (key, member) in members {
                if !isFirst { output += "," }
                isFirst = false
                output += self.palette.paint(SafeText.quote(key), .key) + ":"
                self.write(member, to: &output)
            }
            output += "}"
        }
    }

    private func write(_ bytes: ByteBuffer, to output: inout String) {
        let shown = self.maxBinaryBytes.map { min($0, bytes.readableBytes) } ?? bytes.readableBytes
        let isCut = shown < bytes.readableBytes
        let base64 = Data(bytes.readableBytesView.prefix(shown)).base64EncodedString()
        output += "{" + self.palette.paint("\"$binary\"", .key) + ":"
        output += self.palette.paint("\"\(base64)\(isCut ? "…" : "")\"", .binary)
        output += "," + self.palette.paint("\"bytes\"", .key) + ":"
        output += self.palette.paint("\(bytes.readableBytes)", .number) + "}"
    }
}
