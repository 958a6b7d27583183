import NIOCore

extension Handshake {
    private static let maxSIDBytes = 1024
    /// A day, in milliseconds.
    private static let maxMilliseconds = 86_400_000

    /// Reads the data of an `open` packet; nil if it is no handshake. Keys that are not known are ignored, times are at most a
    /// day.
    package init?(json: ByteBuffer) {
        guard let members = JSONObjectReader.read(json), case .string(let sid)? = members["sid"],
            !sid.isEmpty, sid.utf8.count <= Self.maxSIDBytes
        else { return nil }
        func milliseconds(_ name: String, _ standard: Int) -> Int? {
            guard let value = members[name] else { return standard }
            guard case .integer(let number) = value, number > 0 else { return nil }
            return min(number, Self.maxMilliseconds)
        }
        guard let pingInterval = milliseconds("pingInterval", 25_000),
            let pingTimeout = milliseconds("pingTimeout", 20_000)
        else { return nil }
        var upgrades: [String] = []
        if case .strings(let names)? = members["upgrades"] { upgrades = names }
        // Servers before Socket.IO 4.5 do not say it; they may take any size.
        var maxPayload = Int.max
        if case .integer(let bytes)? = members["maxPayload"], bytes > 0 { maxPayload = bytes }
        self.init(
            sid: sid, upgrades: upgrades, pingInterval: pingInterval, pingTimeout: pingTimeout, maxPayload: maxPayload)
    }
}
