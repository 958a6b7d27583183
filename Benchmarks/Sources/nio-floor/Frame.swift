import NIOCore

enum Frame {
    static let text: UInt8 = 1
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let maxHeaderBytes = 10

    static func headerBytes(_ count: Int) -> Int { count < 126 ? 2 : count < 1 << 16 ? 4 : 10 }

    /// Unmasks and copies at once.
    @inline(__always)
    static func unmask(
        _ source: UnsafeRawPointer, _ mask: UInt32, to target: UnsafeMutableRawPointer, count: Int
    ) {
        let mask8 = UInt64(mask) << 32 | UInt64(mask)
        let mask32 = SIMD4<UInt64>(repeating: mask8)
        var index = 0
        while count &- index >= 32 {
            let block = source.loadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self) ^ mask32
            target.storeBytes(of: block, toByteOffset: index, as: SIMD4<UInt64>.self)
            index &+= 32
        }
        while count &- index >= 8 {
            let block = source.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ mask8
            target.storeBytes(of: block, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        if index < count, count >= 8 {
            // The last eight bytes, some of them once more.
            index = count &- 8
            let shift = UInt64(truncatingIfNeeded: index & 3) &* 8
            let block =
                source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                ^ (mask8 &>> shift | mask8 &<< (64 &- shift))
            target.storeBytes(of: block, toByteOffset: index, as: UInt64.self)
            return
        }
        while index < count {
            let byte = UInt8(truncatingIfNeeded: mask &>> (UInt32(truncatingIfNeeded: index & 3) &* 8))
            target.storeBytes(
                of: source.load(fromByteOffset: index, as: UInt8.self) ^ byte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
    }
}

extension Connection {
    /// Answers the frames that are there in whole. Each is unmasked to where its echo belongs; most replies then are done.
    func answerFrames(_ input: UnsafeRawBufferPointer, from start: Int, into output: inout Output) -> Int? {
        guard let base = input.baseAddress else { return 0 }
        var position = start
        while input.count &- position >= 6 {
            let frame = base + position
            let available = input.count &- position
            var header = 2
            var count = Int(frame.load(fromByteOffset: 1, as: UInt8.self) & 0x7F)
            if count == 126 {
                guard available >= 8 else { break }
                count = Int(UInt16(bigEndian: frame.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
                header = 4
            } else if count == 127 {
                guard available >= 14 else { break }
                let length = UInt64(bigEndian: frame.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
                guard length < 1 << 40 else { return nil }
                count = Int(length)
                header = 10
            }
            guard available >= header &+ 4 &+ count else { break }
            let opcode = frame.load(as: UInt8.self) & 15
            if opcode == Frame.close { return nil }
            let mask = frame.loadUnaligned(fromByteOffset: header, as: UInt32.self)
            let payload = output.end + Frame.headerBytes(count)
            Frame.unmask(frame + header + 4, mask, to: payload, count: count)
            if opcode == Frame.binary || Self.isEcho(payload, count) {
                output.putHeader(opcode: opcode, count: count)
                output.count &+= count
            } else if opcode == Frame.text {
                self.answer(UnsafeMutableRawBufferPointer(start: payload, count: count), into: &output)
            }
            position &+= header &+ 4 &+ count
        }
        return position
    }

    /// `42["echo",…` and `451-[…`, whose attachment follows, go back as they came.
    @inline(__always)
    private static func isEcho(_ payload: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        guard count > 9 else { return false }
        let start = payload.loadUnaligned(as: UInt64.self)
        // As a little-endian machine reads "42[\"echo" and, of five bytes, "451-[".
        return UInt64(littleEndian: start) == 0x6F68_6365_225B_3234
            && payload.load(fromByteOffset: 8, as: UInt8.self) == 0x22
            || UInt64(littleEndian: start) & 0xFF_FFFF_FFFF == 0x5B2D_3135_34
    }

    /// What is not an echo. `message` lies in the space of `output`, after its end.
    private func answer(_ message: UnsafeMutableRawBufferPointer, into output: inout Output) {
        let bytes = UnsafeRawBufferPointer(message)
        if bytes.count == 2, bytes[0] == 0x34, bytes[1] == 0x30 {
            output.putHeader(opcode: Frame.text, count: 28)
            output.put(#"40{"sid":""#)
            output.put(hex: self.loop.makeID())
            output.put(#""}"#)
        } else if bytes.count > 14, bytes[0] == 0x34, bytes[1] == 0x32, bytes[2] &- 0x30 < 10 {
            self.acknowledge(message, into: &output)
        } else if let number = bytes.number(after: #"42["join","room"#)?.value {
            self.join(number, into: &output)
        } else if let number = bytes.number(after: #"42["broadcast","room"#), number.value < LoopState.maxRooms {
            // After the number: a quote and a comma.
            self.loop.broadcast(
                room: number.value, event: #"42["msg","#,
                arguments: UnsafeRawBufferPointer(rebasing: bytes.dropFirst(number.end + 2)))
        }
    }

    /// `42<id>["echo-ack",x]` becomes `43<id>[x]`.
    private func acknowledge(_ message: UnsafeMutableRawBufferPointer, into output: inout Output) {
        guard let base = message.baseAddress, let bracket = message.firstIndex(of: 0x5B),
            message.count > bracket + 12
        else { return }
        let arguments = UnsafeRawBufferPointer(rebasing: message.dropFirst(bracket + 12))
        let count = bracket + 1 + arguments.count
        message[1] = 0x33
        // Both to the left of where they are, so the order matters.
        let start = output.end + Frame.headerBytes(count)
        output.putHeader(opcode: Frame.text, count: count)
        if start != base {
            output.put(UnsafeRawBufferPointer(start: base, count: bracket + 1))
        } else {
            output.count += bracket + 1
        }
        output.put(arguments)
    }

    private func join(_ room: Int, into output: inout Output) {
        guard let context = self.context, self.room == nil, room < LoopState.maxRooms else { return }
        self.room = room
        self.loop.join(self, context, room: room)
        let digits = room < 10 ? 1 : room < 100 ? 2 : room < 1000 ? 3 : room < 10000 ? 4 : 5
        output.putHeader(opcode: Frame.text, count: 19 + digits)
        output.put(#"42["joined","room"#)
        output.put(decimal: room)
        output.put(#""]"#)
    }
}

extension UnsafeRawBufferPointer {
    /// The digits after a prefix, and where they end; nil if this does not start so.
    func number(after prefix: StaticString) -> (value: Int, end: Int)? {
        let length = prefix.utf8CodeUnitCount
        guard self.count > length + 2, self.has(prefix, at: 0) else { return nil }
        var value = 0
        var end = length
        while end < self.count - 2, end < length + 9, self[end] &- 0x30 < 10 {
            value = value * 10 + Int(self[end] - 0x30)
            end += 1
        }
        return end > length ? (value, end) : nil
    }
}
