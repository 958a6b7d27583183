import Foundation
import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct Base64Tests {
    @Test func agreesWithFoundation() {
        var generator = SeededGenerator(state: 3)
        for count in Array(0...70) + [1000, 65_537] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var encoded = ByteBuffer(string: "b")
            Base64.encode(ByteBuffer(bytes: bytes), to: &encoded)
            #expect(encoded.text == "b" + Data(bytes).base64EncodedString())
            #expect(encoded.readableBytes == 1 + Base64.encodedLength(count))
            encoded.moveReaderIndex(forwardBy: 1)
            #expect(Base64.decodeLeniently(encoded).bytes == bytes)
        }
    }

    /// The results are those of the reference's platform.
    @Test(arguments: [
        ("", ""), ("YQ==Yg==", "61"), ("YQ=", "61"), ("YQ", "61"), ("Y", ""), ("YWI", "6162"), ("YWJj=", "616263"),
        ("=YWJj", ""), ("YW=Jj", "61"), ("AAA!", "0000"), ("AA-_", "000fbf"), ("AA+/", "000fbf"),
        ("\u{E9}AAAA", "000000"), ("A A A A", "000000"), ("AAAAA", "000000"), ("AAAAAA=A", "00000000"),
        ("A=A=A=A=", ""), ("AAA=AAA=", "0000"), ("!!!!", ""), ("AB", "00"), ("AAB", "0000"),
        ("AAAA\u{20AC}AAAA", "000000000000"), ("AAA=\nAAAA", "0000"), (" ===A", ""), ("QUJD\n=QUJD", "414243"),
        ("QUJD QUJDQ=UJDQUJD", "414243414243"), ("AQ ID\nBA==", "01020304"), ("A\0A\u{7F}A\tA", "000000"),
    ])
    func lenient(text: String, hex: String) {
        #expect(Base64.decodeLeniently(ByteBuffer(string: text)) == ByteBuffer(hex: hex))
    }

    @Test func anyBytesAreBounded() {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<3000 {
            let count = Int.random(in: 0...50, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(Base64.decodeLeniently(ByteBuffer(bytes: bytes)).readableBytes <= count * 3 / 4)
        }
    }
}
