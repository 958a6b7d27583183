/// What the codecs are given.
struct ChatMessage: Codable, Sendable {
    var user: String
    var text: String
    var likes: Int

    static let sample = ChatMessage(user: "somebody", text: "0123456789abcdef0123456789abcdef", likes: 7)
}

struct Product: Codable, Sendable {
    struct Size: Codable, Sendable {
        var width: Double
        var height: Double
    }

    var id: Int
    var name: String
    var price: Double
    var tags: [String]
    var size: Size
    var isAvailable: Bool
    var remark: String?

    static let samples: [Product] = (0..<50).map { (index: Int) -> Product in
        let size = Size(width: 12.5, height: Double(index) / 4)
        let remark: String? = index.isMultiple(of: 2) ? "says \"hello\" and wörks" : nil
        return Product(
            id: 1000 + index,
            name: "Product number \(index)",
            price: Double(index) * 1.25 + 0.1,
            tags: ["new", "tested", "in stock"],
            size: size,
            isAvailable: !index.isMultiple(of: 3),
            remark: remark
        )
    }
}
