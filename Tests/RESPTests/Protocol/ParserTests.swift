import NIOCore
import Testing

@testable import RESP

/// Parses bytes in pieces.
private func parse(_ pieces: [[UInt8]], _ parser: inout RESPParser) throws(RedisError) -> [RESPParser.Output] {
    var outputs: [RESPParser.Output] = []
    for piece in pieces {
        var buffer = ByteBuffer(bytes: piece)
        while let output = try parser.next(from: &buffer) { outputs.append(output) }
        #expect(buffer.readableBytes == 0)
    }
    return outputs
}

private func parse(_ text: String) throws(RedisError) -> [RESPParser.Output] {
    var parser = RESPParser()
    return try parse([Array(text.utf8)], &parser)
}

private func reply(_ value: RedisValue) -> RESPParser.Output { .reply(value) }

struct ParserTests {
    private static let golden: [(String, [RESPParser.Output])] = [
        ("+OK\r\n", [reply(.text("OK"))]),
        ("+\r\n", [reply(.text(""))]),
        ("-ERR unknown command\r\n", [reply(.error("ERR unknown command"))]),
        (":1000\r\n", [reply(.integer(1000))]),
        (":-9223372036854775808\r\n", [reply(.integer(.min))]),
        (":+9223372036854775807\r\n", [reply(.integer(.max))]),
        ("$5\r\nhello\r\n", [reply(.text("hello"))]),
        ("$0\r\n\r\n", [reply(.text(""))]),
        ("$4\r\n\r\n\r\n\r\n", [reply(.text("\r\n\r\n"))]),
        ("$-1\r\n", [reply(.null)]),
        ("*-1\r\n", [reply(.null)]),
        ("_\r\n", [reply(.null)]),
        ("*0\r\n", [reply(.array([]))]),
        ("*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [reply(.array([.text("a"), .array([.integer(1)])]))]),
        ("*3\r\n*0\r\n$-1\r\n%0\r\n", [reply(.array([.array([]), .null, .map([])]))]),
        ("#t\r\n#f\r\n", [reply(.bool(true)), reply(.bool(false))]),
        (",1.5\r\n,-2e3\r\n,10\r\n", [reply(.double(1.5)), reply(.double(-2000)), reply(.double(10))]),
        (",inf\r\n,-inf\r\n", [reply(.double(.infinity)), reply(.double(-.infinity))]),
        (
            "(3492890328409238509324850943850943825024385\r\n",
            [
                reply(.text("3492890328409238509324850943850943825024385"))
            ]
        ),
        ("!21\r\nSYNTAX invalid syntax\r\n", [reply(.error("SYNTAX invalid syntax"))]),
        ("=15\r\ntxt:Some string\r\n", [reply(.text("Some string"))]),
        ("~2\r\n:1\r\n:2\r\n", [reply(.array([.integer(1), .integer(2)]))]),
        (
            "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
            [
                reply(
                    .map([
                        RedisPair(key: .text("a"), value: .integer(1)),
                        RedisPair(key: .text("b"), value: .array([.integer(2)])),
                    ]))
            ]
        ),
        (
            ">3\r\n+message\r\n+a\r\n+b\r\n:7\r\n",
            [
                .push([.text("message"), .text("a"), .text("b")]), reply(.integer(7)),
            ]
        ),
        // An attribute says something of what follows and is skipped, wherever it stands.
        ("|1\r\n+ttl\r\n:3600\r\n:5\r\n", [reply(.integer(5))]),
        ("*2\r\n:1\r\n|1\r\n+ttl\r\n*1\r\n:0\r\n:2\r\n", [reply(.array([.integer(1), .integer(2)]))]),
        // Some versions push in the middle of a reply.
        (
            "*2\r\n:1\r\n>2\r\n+x\r\n+y\r\n:2\r\n",
            [
                .push([.text("x"), .text("y")]), reply(.array([.integer(1), .integer(2)])),
            ]
        ),
    ]

    @Test func goldenCases() throws {
        for (text, expected) in Self.golden { #expect(try parse(text) == expected, "\(text.debugDescription)") }
    }

    @Test func notANumber() throws {
        guard case .reply(.double(let value))? = try parse(",nan\r\n").first else {
            Issue.record("no number")
            return
        }
        #expect(value.isNaN)
    }

    @Test func everySplit() throws {
        let text = Self.golden.map(\.0).joined()
        let expected = Self.golden.flatMap(\.1)
        let bytes = Array(text.utf8)
        for split in 0...bytes.count {
            var parser = RESPParser()
            #expect(try parse([Array(bytes[..<split]), Array(bytes[split...])], &parser) == expected)
        }
        var parser = RESPParser()
        #expect(try parse(bytes.map { [$0] }, &parser) == expected)
    }

    @Test(arguments: [
        "\r\n", "x\r\n", "+a\n", "\n", ":\r\n", ":1x\r\n", ":-\r\n", ":9223372036854775808\r\n", "$-2\r\n", "$x\r\n",
        "*-2\r\n", "%-1\r\n", ">0\r\n", "~-1\r\n", "#x\r\n", "#\r\n", "#tt\r\n", ",\r\n", ",0x1p3\r\n", ",1,5\r\n",
        "(12a\r\n", "(\r\n", "(-\r\n", "_x\r\n", "$3\r\nabcXY", "=2\r\nab\r\n", "=5\r\nabcde\r\n", "$?\r\n", "*?\r\n",
        "*16777217\r\n", "%8388609\r\n", "$536870913\r\n", "*9223372036854775807\r\n", "%9223372036854775807\r\n",
    ])
    func refused(text: String) {
        #expect(throws: RedisError.self) { try parse(text) }
    }

    @Test func depth() throws {
        let deep = String(repeating: "*1\r\n", count: 64) + ":1\r\n"
        #expect(try parse(deep).count == 1)
        #expect(throws: RedisError.self) { try parse("*1\r\n" + deep) }
    }

    @Test func announcedElementsAreCountedTogether() {
        let nested = String(repeating: "*9000000\r\n", count: 2)
        #expect(throws: RedisError.self) { try parse(nested) }
    }

    @Test func linesAreBounded() throws {
        // Numbers are short: no end of line has to come for this to be seen.
        #expect(throws: RedisError.self) { try parse(":" + String(repeating: "0", count: 100)) }
        #expect(throws: RedisError.self) { try parse("$" + String(repeating: "1", count: 100)) }
        #expect(throws: RedisError.self) { try parse("+" + String(repeating: "x", count: 70_000)) }
        #expect(try parse("+" + String(repeating: "x", count: 60_000) + "\r\n").count == 1)
    }

    /// Also where the bound is, a line means the same in one piece and in several.
    @Test func longestNumbersInPieces() throws {
        for count in 62...65 {
            let line = Array((":" + String(repeating: "0", count: count) + "\r\n").utf8)
            var parser = RESPParser()
            let whole = Result { try parse([line], &parser) }
            for split in 1..<line.count {
                var parser = RESPParser()
                let pieces = Result { try parse([Array(line[..<split]), Array(line[split...])], &parser) }
                #expect((try? pieces.get()) == (try? whole.get()), "\(count) zeros, cut at \(split)")
            }
            #expect(((try? whole.get()) != nil) == (count <= 63))
        }
    }

    @Test func repliesAreBounded() throws {
        var limits = RESPParser.Limits()
        limits.replyLength = 100
        var parser = RESPParser(limits: limits)
        let small = Array("$40\r\n".utf8) + [UInt8](repeating: 0, count: 40) + Array("\r\n".utf8)
        // One by one they are as many as you like.
        #expect(try parse([small, small, small, small], &parser).count == 4)
        #expect(throws: RedisError.self) { try parse([Array("*3\r\n".utf8), small, small, small], &parser) }
    }

    @Test func announcementsAllocateNothing() throws {
        var parser = RESPParser()
        #expect(try parse([Array("*16000000\r\n$536870912\r\nabc".utf8)], &parser).isEmpty)
    }

    // MARK: Cost

    @Test func aLargeBulkInSmallReadsIsReadOnce() async throws {
        let size = 10 << 20
        let bytes = Array("$\(size)\r\n".utf8) + [UInt8](repeating: 7, count: size) + Array("\r\n".utf8)
        var parser = RESPParser()
        var outputs: [RESPParser.Output] = []
        for start in stride(from: 0, to: bytes.count, by: 1024) {
            if start % (64 << 10) == 0 { await Task.yield() }
            var piece = ByteBuffer(bytes: bytes[start..<min(start + 1024, bytes.count)])
            while let output = try parser.next(from: &piece) { outputs.append(output) }
        }
        guard case .reply(.string(let buffer))? = outputs.first else {
            Issue.record("no string")
            return
        }
        #expect(buffer.readableBytes == size)
        #expect(parser.workDone < bytes.count + 4096)
    }

    @Test func aLargeArrayInSmallReadsIsReadOnce() throws {
        let count = 20_000
        let elements = String(repeating: "$5\r\nhello\r\n", count: count)
        let bytes = Array(("*\(count)\r\n" + elements).utf8)
        var parser = RESPParser()
        var outputs: [RESPParser.Output] = []
        for start in stride(from: 0, to: bytes.count, by: 64) {
            var piece = ByteBuffer(bytes: bytes[start..<min(start + 64, bytes.count)])
            while let output = try parser.next(from: &piece) { outputs.append(output) }
        }
        #expect(outputs == [reply(.array(Array(repeating: .text("hello"), count: count)))])
        #expect(parser.workDone < 2 * bytes.count)
    }

    // MARK: Fuzzing

    private func randomValue(_ generator: inout SeededGenerator, depth: Int) -> (RedisValue, String) {
        func text() -> String {
            let letters = Array("ab\r\n$*:é")
            return String(
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                    letters.randomElement(using: &generator) ?? "a"
                })
        }
        switch Int.random(in: 0...(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return (.null, "_\r\n")
        case 1:
            let value = Int64.random(in: .min ... .max, using: &generator)
            return (.integer(value), ":\(value)\r\n")
        case 2: return (.bool(true), "#t\r\n")
        case 3:
            let value = Double.random(in: -1e9...1e9, using: &generator)
            return (.double(value), ",\(value)\r\n")
        case 4:
            let value = text()
            return (.error(value), "!\(value.utf8.count)\r\n\(value)\r\n")
        case 5:
            let value = text()
            return (.text(value), "$\(value.utf8.count)\r\n\(value)\r\n")
        case 6:
            let parts = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                self.randomValue(&generator, depth: depth - 1)
            }
            return (.array(parts.map(\.0)), "*\(parts.count)\r\n" + parts.map(\.1).joined())
        case 7:
            let pairs = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                (self.randomValue(&generator, depth: depth - 1), self.randomValue(&generator, depth: depth - 1))
            }
            return (
                .map(pairs.map { RedisPair(key: $0.0.0, value: $0.1.0) }),
                "%\(pairs.count)\r\n" + pairs.map { $0.0.1 + $0.1.1 }.joined()
            )
        default:
            let (value, encoded) = self.randomValue(&generator, depth: depth - 1)
            return (value, "|1\r\n+a\r\n*1\r\n_\r\n" + encoded)
        }
    }

    private func split(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...20, using: &generator))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    @Test func randomValuesInRandomPieces() throws {
        var generator = SeededGenerator(state: 1)
        for _ in 0..<500 {
            let values = (0..<5).map { _ in self.randomValue(&generator, depth: 4) }
            let bytes = values.flatMap { Array($0.1.utf8) }
            var parser = RESPParser()
            let outputs = try parse(self.split(bytes, &generator), &parser)
            #expect(outputs == values.map { .reply($0.0) })
        }
    }

    /// No bytes make it trap, and what it accepts doesn't depend on how they were divided.
    /// Bounds are those of one reply or push, not of all that come between two replies.
    @Test func pushesAreCountedOneByOne() throws {
        var limits = RESPParser.Limits()
        limits.elements = 4
        limits.replyLength = 64
        var parser = RESPParser(limits: limits)
        var bytes = ByteBuffer(string: String(repeating: ">3\r\n+message\r\n+a\r\n+b\r\n", count: 100))
        for _ in 0..<100 { #expect(try parser.next(from: &bytes) != nil) }
        #expect(bytes.readableBytes == 0)
    }

    @Test func mutatedBytes() async {
        var generator = SeededGenerator(state: 2)
        let valid = Self.golden.flatMap { Array($0.0.utf8) }
        for number in 0..<3000 {
            if number % 50 == 0 { await Task.yield() }
            var bytes = valid
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = bytes.indices.randomElement(using: &generator) ?? 0
                switch Int.random(in: 0...2, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(Array("0123456789$*%|>-:".utf8).randomElement(using: &generator) ?? 0, at: index)
                }
            }
            func outcome(_ pieces: [[UInt8]]) -> [RESPParser.Output] {
                var parser = RESPParser()
                var outputs: [RESPParser.Output] = []
                do throws(RedisError) {
                    for piece in pieces {
                        var buffer = ByteBuffer(bytes: piece)
                        while let output = try parser.next(from: &buffer) { outputs.append(output) }
                    }
                } catch {
                    #expect(error.code == .protocolViolation)
                }
                return outputs
            }
            let whole = outcome([bytes])
            let pieces = outcome(self.split(bytes, &generator))
            #expect("\(whole)" == "\(pieces)")
        }
    }
}
