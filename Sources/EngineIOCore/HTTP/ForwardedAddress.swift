/// The address of the client behind reverse proxies.
package enum ForwardedAddress {
    /// Hops further away are not looked at.
    package static let maxHops = 32
    /// Headers with more bytes in all are not looked at.
    package static let maxBytes = 8192

    /// Walks from the peer towards the client for as long as the addresses are trusted, and returns the first one
    /// that is not, or the last one.
    ///
    /// Nothing is believed of a peer that is not trusted. A hop that is hidden (`unknown`, `_name`) or malformed ends
    /// the walk at the proxy that reported it. `Forwarded` comes before `X-Forwarded-For`; if a proxy set only one of
    /// them, the other one may be of the client's making, so when both are there and disagree, neither is believed.
    ///
    /// - Parameters:
    ///   - peer: the address of the connection.
    ///   - forwarded: the values of the `Forwarded` headers (RFC 7239), in order.
    ///   - xForwardedFor: the values of the `X-Forwarded-For` headers, in order.
    ///   - trusted: the networks of the proxies.
    /// - Returns: an address without port and brackets, IPv4-mapped IPv6 as IPv4; `peer` as it is if nothing was
    ///   believed.
    package static func client(
        peer: String,
        headers forwarded: [String],
        xForwardedFor: [String],
        trusted: [IPNetwork]
    ) -> String {
        guard !trusted.isEmpty, !forwarded.isEmpty || !xForwardedFor.isEmpty, let peerAddress = IPAddress(peer),
            trusted.contains(where: { $0.contains(peerAddress) })
        else { return peer }
        let bytes = (forwarded + xForwardedFor).reduce(0) { $0 + $1.utf8.count }
        guard bytes <= Self.maxBytes else { return peer }

        let first = forwarded.isEmpty ? nil : Self.walk(Self.forwardedHops(forwarded), trusted)
        let second = xForwardedFor.isEmpty ? nil : Self.walk(Self.listHops(xForwardedFor), trusted)
        if !forwarded.isEmpty, !xForwardedFor.isEmpty, first != second { return peer }
        return (first ?? second)?.description ?? peer
    }

    /// The hops are nearest first; nil is a hop without a usable address. Returns nil if the nearest one is.
    private static func walk(_ hops: [IPAddress?], _ trusted: [IPNetwork]) -> IPAddress? {
        var last: IPAddress?
        for hop in hops.prefix(Self.maxHops) {
            guard let hop else { return last }
            last = hop
            guard trusted.contains(where: { $0.contains(hop) }) else { return hop }
        }
        return last
    }

    private static func listHops(_ values: [String]) -> [IPAddress?] {
        var hops: [IPAddress?] = []
        for value in values.reversed() {
            for item in value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).reversed() {
                guard hops.count < Self.maxHops else { return hops }
                hops.append(Self.node(Self.trimmed(Array(item)[...])))
            }
        }
        return hops
    }

    private static func forwardedHops(_ values: [String]) -> [IPAddress?] {
        var hops: [IPAddress?] = []
        for value in values.reversed() {
            for element in Self.forwardedElements(Array(value.utf8)).reversed() {
                guard hops.count < Self.maxHops else { return hops }
                hops.append(element.flatMap { Self.node($0[...]) })
            }
        }
        return hops
    }

    /// The `for` value of each element of a `Forwarded` header, nil if it has none or more than one, or is malformed.
    private static func forwardedElements(_ bytes: [UInt8]) -> [[UInt8]?] {
        var elements: [[UInt8]?] = []
        var node: [UInt8]?
        var nodes = 0
        var isMalformed = false
        var index = 0
        func skipSpace() {
            while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        }
        func endElement() {
            elements.append(isMalformed || nodes != 1 ? nil : node)
            node = nil
            nodes = 0
            isMalformed = false
        }
        while index < bytes.count {
            skipSpace()
            let nameStart = index
            while index < bytes.count, !"=;, \t\"".utf8.contains(bytes[index]) { index += 1 }
            let name = bytes[nameStart..<index]
            if index < bytes.count, bytes[index] == UInt8(ascii: "="), !name.isEmpty {
                index += 1
                let value = Self.pairValue(bytes, &index)
                if value == nil { isMalformed = true }
                if name.count == 3, name.elementsEqual("for".utf8, by: { $0 | 0x20 == $1 }) {
                    node = value
                    nodes += 1
                }
            } else if !name.isEmpty {
                isMalformed = true
            }
            skipSpace()
            guard index < bytes.count else { break }
            switch bytes[index] {
            case UInt8(ascii: ";"):
                index += 1
            case UInt8(ascii: ","):
                index += 1
                endElement()
            default:
                // Past something unexpected; the element is not used.
                isMalformed = true
                index += 1
            }
        }
        endElement()
        return elements
    }

    /// A token, or a quoted string without its quotes and backslashes; nil if the quote is not closed.
    private static func pairValue(_ bytes: [UInt8], _ index: inout Int) -> [UInt8]? {
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
            let start = index
            while index < bytes.count, !";, \t\"".utf8.contains(bytes[index]) { index += 1 }
            return Array(bytes[start..<index])
        }
        index += 1
        var value: [UInt8] = []
        while index < bytes.count {
            var byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return value }
            if byte == UInt8(ascii: "\\") {
                guard index < bytes.count else { return nil }
                byte = bytes[index]
                index += 1
            }
            value.append(byte)
        }
        return nil
    }

    /// `address`, `v4:port`, `[v6]` or `[v6]:port`.
    private static func node(_ bytes: ArraySlice<UInt8>) -> IPAddress? {
        var address = bytes
        var port: ArraySlice<UInt8>?
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            address = bytes[(bytes.startIndex + 1)..<end]
            guard address.contains(UInt8(ascii: ":")) else { return nil }
            let behind = bytes[(end + 1)...]
            if !behind.isEmpty {
                guard behind.first == UInt8(ascii: ":") else { return nil }
                port = behind.dropFirst()
            }
        } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[..<colon].contains(UInt8(ascii: ".")) {
            address = bytes[..<colon]
            port = bytes[(colon + 1)...]
        }
        if let port {
            let isPort = (1...6).contains(port.count) && port.allSatisfy { Self.isPortByte($0) }
            guard isPort else { return nil }
        }
        return IPAddress(String(decoding: address, as: UTF8.self))
    }

    /// Digits, or the characters of an obfuscated port.
    private static func isPortByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default:
            false
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return bytes
    }
}
