import NIOCore
import Testing

@testable import EngineIOCore

@Suite struct JSONPTests {
    @Test(arguments: [("0", "0"), ("1a2;alert(1)", "121"), ("", ""), ("x", ""), ("\u{661}7", "7")])
    func index(parameter: String, index: String) {
        #expect(JSONP.index(of: parameter) == index)
    }

    @Test func indexIsBounded() {
        #expect(JSONP.index(of: String(repeating: "9", count: 5000)).utf8.count == 16)
    }

    @Test func scripts() {
        let payload = "4\"\\/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}\u{2028}\u{2029}\u{2027}\u{20AC}</script>"
        let script = JSONP.script(ByteBuffer(string: payload), index: "3")
        let text = "4\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7F}\\u2028\\u2029\u{2027}\u{20AC}</script>"
        #expect(script.text == "___eio[3](\"\(text)\");")
        // What is cut off ends nothing.
        let bytes: [UInt8] = [0xE2, 0x80]
        #expect(JSONP.script(ByteBuffer(bytes: bytes), index: "").readableBytes == "___eio[](\"\");".utf8.count + 2)
    }

    @Test(arguments: [
        ("d=6%3A4hello", "6:4hello"),
        ("d=4%3A4a%5Cnb", "4:4a\nb"),
        ("d=5%3A4a%5C%5Cnb", "5:4a\\nb"),
        ("d=a\\\\\\n", "a\\\\n"),
        ("d=\\", "\\"),
        ("d=a+b%2", "a b%2"),
        ("x=1&d=2&y=3", "2"),
        ("d=", ""),
    ])
    func forms(body: String, payload: String) {
        #expect(JSONP.payload(ofForm: ByteBuffer(string: body))?.text == payload)
    }

    @Test(arguments: ["", "x=1", "dd=1", "d", "d=1&d=2", "%64=1"])
    func formsWithoutIt(body: String) {
        #expect(JSONP.payload(ofForm: ByteBuffer(string: body)) == nil)
    }
}
