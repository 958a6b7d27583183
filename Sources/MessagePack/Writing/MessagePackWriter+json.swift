import NIOCore
import SocketIOCore

extension MessagePackWriter {
    /// Writes what JSON text says, without making values of it.
    ///
    /// An object with a true `_placeholder` and the number of an attachment as `num` becomes that attachment, as
    /// readers of packets would have it; without attachments it is an object like any other, and so is one with the number of an
    /// attachment that stands before it already. (Packets refer to each once, but values in them may look like placeholders.) Of repeated
    /// keys all are written.
    ///
    /// - Throws: `malformedJSON` if `json` is not one JSON text, or `tooDeep`; nothing was written then.
    package mutating func writeJSON(_ json: ByteBuffer, attachments: [ByteBuffer] = []) throws(MessagePackError) {
        let result = json.withUnsafeReadableBytes { bytes -> Result<Void, JSONScan.Failure> in
            // The depth of a value that could be written, within the array of arguments.
            JSONScan.scan(bytes, maxDepth: JSONWriter.maxDepth + 2).map {
                self.writeScanned(bytes, $0.range, attachments)
            }
        }
        switch result {
        case .success: break
        case .failure(.tooDeep): throw MessagePackError(.tooDeep)
        case .failure: throw MessagePackError(.malformedJSON)
        }
    }

    private mutating func writeScanned(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ attachments: [ByteBuffer]
    ) {
        // On the stack unless there are many containers.
        let capacity = JSONOutline.capacity(bytes, range)
        withUnsafeTemporaryAllocation(of: JSONOutline.Container.self, capacity: capacity) {
            JSONOutline.fill($0, bytes, range, attachments: attachments.count)
            self.writeOutlined(bytes, range, $0, attachments)
        }
    }

    private mutating func writeOutlined(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ containers: UnsafeMutableBufferPointer<JSONOutline.Container>,
        _ attachments: [ByteBuffer]
    ) {
        // Behind the counts, MessagePack is the values and keys one after the other.
        var index = range.lowerBound
        var next = 0
        var isWritten = attachments.isEmpty ? [] : [Bool](repeating: false, count: attachments.count)
        while index < range.upperBound {
            let byte = bytes[index]
            index &+= 1
            switch byte {
            case UInt8(ascii: "\""):
                let content = JSONText.string(bytes, from: index, to: range.upperBound)
                index = content.range.upperBound &+ 1
                self.writeString(json: UnsafeRawBufferPointer(rebasing: bytes[content.range]), content.isEscaped)
            case UInt8(ascii: "["):
                self.writeArrayHeader(Int(containers[next].count))
                next &+= 1
            case UInt8(ascii: "{"):
                let container = containers[next]
                if container.isPlaceholder, container.number >= 0, !isWritten[Int(container.number)] {
                    isWritten[Int(container.number)] = true
                    self.writeBinary(attachments[Int(container.number)])
                    index = Int(container.end)
                    next = Int(container.link)
                } else {
                    self.writeMapHeader(Int(container.count))
                    next &+= 1
                }
            case UInt8(ascii: "t"):
                self.writeBool(true)
                index &+= 3
            case UInt8(ascii: "f"):
                self.writeBool(false)
                index &+= 4
            case UInt8(ascii: "n"):
                self.writeNil()
                index &+= 3
            case UInt8(ascii: "-"), 0x30...0x39:
                let start = index &- 1
                index = JSONText.number(bytes, from: index, to: range.upperBound)
                switch JSONNumber.parse(bytes, start..<index) {
                case .int(let value): self.write(value)
                case .large(let value): self.writeInteger(magnitude: value, isNegative: false)
                case .double(let value): self.write(value)
                case nil: self.writeNil()
                }
            default: break
            }
        }
    }

    /// Writes what stands between two quotes.
    private mutating func writeString(json content: UnsafeRawBufferPointer, _ isEscaped: Bool) {
        guard isEscaped else { return self.writeRepaired(content) }
        // What an escape sequence stands for is never longer than the sequence.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: content.count) {
            let count = JSONString.unescape(content, into: $0)
            self.writeRepaired(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0)[..<count]))
        }
    }

    private mutating func writeRepaired(_ text: UnsafeRawBufferPointer) {
        if UTF8Check.isValid(text) {
            self.writeString(utf8: text)
        } else {
            self.write(String(decoding: text, as: UTF8.self))
        }
    }
}
