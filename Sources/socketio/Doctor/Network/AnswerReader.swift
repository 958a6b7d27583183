import NIOCore

/// Reads one answer of HTTP/1.1 from the bytes of a connection. Lenient, as it is to say what is wrong with a server; bounded.
struct AnswerReader {
    private enum Length {
        case fixed(Int)
        case chunked
        case untilEnd
    }

    private static let maxHeadBytes = 64 << 10
    private static let maxBodyBytes = 64 << 10

    private var bytes = ByteBuffer()
    private var answer: ProbeAnswer?
    private var length = Length.untilEnd

    /// What came behind a 101.
    private(set) var rest = ByteBuffer()

    /// The answer when it is complete.
    mutating func read(_ new: ByteBuffer) throws(WireFailure) -> ProbeAnswer? {
        self.bytes.writeImmutableBuffer(new)
        if self.answer == nil {
            guard try self.readHead() else { return nil }
        }
        return try self.readBody()
    }

    /// What has come when the connection ends.
    mutating func end() throws(WireFailure) -> ProbeAnswer {
        guard let answer = self.answer else {
            throw self.bytes.readableBytes == 0 ? WireFailure.closed : WireFailure.notHTTP
        }
        return self.complete(answer, Self.cut(self.bytes))
    }

    private mutating func readHead() throws(WireFailure) -> Bool {
        while true {
            let view = self.bytes.readableBytesView
            guard "HTTP/1.".utf8.elementsEqual(view.prefix(7)) || view.count < 7 else { throw .notHTTP }
            guard let end = view.firstRange(of: "\r\n\r\n".utf8) ?? view.firstRange(of: "\n\n".utf8) else {
                guard view.count <= Self.maxHeadBytes else { throw .notHTTP }
                return false
            }
            let head = String(decoding: view[..<end.lowerBound], as: UTF8.self)
            self.bytes.moveReaderIndex(to: end.upperBound)
            guard let answer = Self.parse(head) else { throw .notHTTP }
            // 100 and 103 come before the answer.
            if (100...199).contains(answer.status), answer.status != 101 { continue }
            self.answer = answer
            self.length = Self.length(answer)
            return true
        }
    }

    private static func parse(_ head: String) -> ProbeAnswer? {
        // A carriage return and a line feed are one character.
        let lines = head.split { $0.isNewline }
        let parts = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard parts.count >= 2, let status = Int(parts[1]), (100...599).contains(status) else { return nil }
        var headers: [(String, String)] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            var value = line[line.index(after: colon)...]
            while value.first == " " || value.first == "\t" { value.removeFirst() }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            headers.append((String(line[..<colon]), String(value)))
        }
        return ProbeAnswer(status: status, headers: headers)
    }

    private static func length(_ answer: ProbeAnswer) -> Length {
        if [101, 204, 304].contains(answer.status) { return .fixed(0) }
        if answer.list("transfer-encoding").last == "chunked" { return .chunked }
        guard let length = answer.first("content-length").flatMap({ Int($0) }), length >= 0 else { return .untilEnd }
        return .fixed(length)
    }

    private mutating func readBody() throws(WireFailure) -> ProbeAnswer? {
        guard let answer = self.answer else { return nil }
        switch self.length {
        case .fixed(let count):
            guard self.bytes.readableBytes >= min(count, Self.maxBodyBytes),
                let body = self.bytes.readSlice(length: min(count, Self.maxBodyBytes))
            else { return nil }
            self.rest = self.bytes
            return self.complete(answer, body)
        case .chunked:
            guard let body = try Self.chunks(self.bytes) else { return nil }
            return self.complete(answer, Self.cut(body))
        case .untilEnd:
            guard self.bytes.readableBytes >= Self.maxBodyBytes else { return nil }
            return self.complete(answer, Self.cut(self.bytes))
        }
    }

    /// The body once its last chunk is there, or more of it than is kept.
    private static func chunks(_ bytes: ByteBuffer) throws(WireFailure) -> ByteBuffer? {
        var bytes = bytes
        var body = ByteBuffer()
        while body.readableBytes < self.maxBodyBytes {
            guard let end = bytes.readableBytesView.firstRange(of: "\r\n".utf8) else { return nil }
            let line = String(decoding: bytes.readableBytesView[..<end.lowerBound], as: UTF8.self)
            bytes.moveReaderIndex(to: end.upperBound)
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16), (0...ProbeReader.maxBytes).contains(size)
            else { throw .notHTTP }
            if size == 0 { return body }
            guard bytes.readableBytes >= size + 2, let chunk = bytes.readSlice(length: size) else { return nil }
            body.writeImmutableBuffer(chunk)
            bytes.moveReaderIndex(forwardBy: 2)
        }
        return body
    }

    private static func cut(_ bytes: ByteBuffer) -> ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex, length: min(bytes.readableBytes, self.maxBodyBytes)) ?? bytes
    }

    private func complete(_ answer: ProbeAnswer, _ body: ByteBuffer) -> ProbeAnswer {
        var answer = answer
        answer.body = body
        return answer
    }
}
