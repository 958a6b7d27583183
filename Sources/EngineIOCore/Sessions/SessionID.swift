/// Session ids: 120 bits of the system's random source as 20 characters.
package enum SessionID {
    /// The number of characters of an id.
    package static let length = 20

    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    /// A fresh id in the URL-safe base64 alphabet. It is a secret: who has it can take over a polling session.
    package static func random() -> String {
        var source = SystemRandomNumberGenerator()
        return Self.make(source.next(), source.next())
    }

    /// As ``random()``, with bytes that were fetched from the system before.
    package static func random(from stock: inout RandomStock) -> String {
        Self.make(stock.next(), stock.next())
    }

    /// Whether `text` has the form of an id, ours or the reference's.
    package static func isPossible(_ text: String) -> Bool {
        text.utf8.count == Self.length
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// 60 bits of each word, 6 for a character.
    static func make(_ first: UInt64, _ second: UInt64) -> String {
        String(unsafeUninitializedCapacity: Self.length) { target in
            let digits = Self.alphabet.utf8Start
            var high = first
            var low = second
            for index in 0..<10 {
                target.initializeElement(at: index, to: digits[Int(high & 0x3F)])
                target.initializeElement(at: index + 10, to: digits[Int(low & 0x3F)])
                high >>= 6
                low >>= 6
            }
            return Self.length
        }
    }
}
