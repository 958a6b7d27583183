/// Finds where a JSON value in a line ends, or what is wrong with it and where. It does not decode.
struct JSONProbe {
    private let bytes: [UInt8]
    private var index: Int
    /// The brackets that are open: `[` or `{`.
    private var open: [UInt8] = []

    static let maxDepth = 64

    private init(_ bytes: [UInt8], _ index: Int) {
        self.bytes = bytes
        self.index = index
    }

    /// The offset behind the value that begins at `start`.
    static func end(ofValueAt start: Int, in bytes: [UInt8]) throws(LineFault) -> Int {
        var probe = JSONProbe(bytes, start)
        return try probe.run()
    }

    private var current: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    private mutating func run() throws(LineFault) -> Int {
        while true {
            try self.value()
            // A value has ended, unless a bracket was opened: what ends with it, up to the next comma.
            while true {
                guard let bracket = self.open.last else { return self.index }
                self.skipSpace()
                let isObject = bracket == UInt8(ascii: "{")
                switch self.current {
                case UInt8(ascii: ","):
                    self.index += 1
                    if isObject { try self.key() }
                case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
                    self.index += 1
                    self.open.removeLast()
                    continue
                case nil: throw self.fault(isObject ? "\"}\" is missing" : "\"]\" is missing")
                default:
                    throw self.fault(isObject ? "\",\" or \"}\" is expected here" : "\",\" or \"]\" is expected here")
                }
                break
            }
        }
    }

    /// Passes over a value that is no array or object, or over brackets down to one that is, or to the end of an empty one.
    private mutating func value() throws(LineFault) {
        while true {
            self.skipSpace()
            guard let byte = self.current else { throw self.fault("a value is missing") }
            switch byte {
            case UInt8(ascii: "\""): return try self.string()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try self.number()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                guard self.open.count < Self.maxDepth else {
                    throw self.fault("more than \(Self.maxDepth) brackets lie inside each other")
                }
                self.index += 1
                self.skipSpace()
                let isObject = byte == UInt8(ascii: "{")
                if self.current == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    self.index += 1
                    return
                }
                self.open.append(byte)
                if isObject { try self.key() }
            default: return try self.word()
            }
        }
    }

    /// A key and its colon.
    private mutating func key() throws(LineFault) {
        self.skipSpace()
        guard self.current == UInt8(ascii: "\"") else { throw self.fault("a key in double quotes is expected here") }
        try self.string()
        self.skipSpace()
        guard self.current == UInt8(ascii: ":") else { throw self.fault("\":\" is expected here") }
        self.index += 1
    }

    private mutating func string() throws(LineFault) {
        let start = self.index
        self.index += 1
        while let byte = self.current {
            switch byte {
            case UInt8(ascii: "\""):
                self.index += 1
                return
            case UInt8(ascii: "\\"): try self.escape()
            case 0..<0x20: throw self.fault("a control character must be escaped, such as \\n or \\t")
            default: self.index += 1
            }
        }
        throw LineFault(start, "the text that begins here has no closing quote")
    }

    private mutating func escape() throws(LineFault) {
        let start = self.index
        self.index += 1
        switch self.current {
        case let byte? where "\"\\/bfnrt".utf8.contains(byte): self.index += 1
        case UInt8(ascii: "u"):
            self.index += 1
            for _ in 0..<4 {
                guard let byte = self.current, Self.isHexadecimal(byte) else {
                    throw LineFault(start, "four hexadecimal digits must follow \\u")
                }
                self.index += 1
            }
        default: throw LineFault(start, "this is no escape; a backslash is written \\\\")
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private mutating func number() throws(LineFault) {
        let start = self.index
        if self.current == UInt8(ascii: "-") { self.index += 1 }
        let first = self.index
        try self.digits(of: start)
        if self.bytes[first] == UInt8(ascii: "0"), self.index - first > 1 {
            throw LineFault(start, "numbers do not begin with 0")
        }
        if self.current == UInt8(ascii: ".") {
            self.index += 1
            try self.digits(of: start)
        }
        if self.current == UInt8(ascii: "e") || self.current == UInt8(ascii: "E") {
            self.index += 1
            if self.current == UInt8(ascii: "+") || self.current == UInt8(ascii: "-") { self.index += 1 }
            try self.digits(of: start)
        }
    }

    private mutating func digits(of start: Int) throws(LineFault) {
        let first = self.index
        while let byte = self.current, (0x30...0x39).contains(byte) { self.index += 1 }
        if self.index == first { throw LineFault(start, "this is no number") }
    }

    private mutating func word() throws(LineFault) {
        let start = self.index
        while let byte = self.current, byte > 0x20, !",]}:\"".utf8.contains(byte) { self.index += 1 }
        let word = String(decoding: self.bytes[start..<self.index], as: UTF8.self)
        guard !["true", "false", "null"].contains(word) else { return }
        guard !word.isEmpty else { throw LineFault(start, "a value is expected here") }
        if word.hasPrefix("'") { throw LineFault(start, "JSON has double quotes: \"text\"") }
        throw LineFault(
            start, "this is no JSON; texts stand in double quotes: \(SafeText.quote(String(word.prefix(40))))")
    }

    private mutating func skipSpace() {
        while let byte = self.current, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { self.index += 1 }
    }

    private func fault(_ message: String) -> LineFault { LineFault(self.index, message) }
}
