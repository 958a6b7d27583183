import FuzzSupport
import NIOCore

@testable import EngineIOCore

/// Frames from a client or a server. However the stream is cut the same messages and the same error come of it; the
/// way for a single text gives what the general one gives; what was read can be written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let options = input.option()
    let seed = input.option()
    let stream = input.rest
    let decoder = WebSocketDecoder(
        maxMessageBytes: options & 2 == 0 ? 400 : 1 << 20,
        maxFragments: options & 4 == 0 ? 4 : 1024,
        expectsMask: options & 1 == 0
    )

    let whole = decode([stream], decoder)
    demand(whole.messages.count <= stream.readableBytes / 2 + 1, "more messages than frames fit")
    demand(decode(stream.pieces(seed: seed), decoder) == whole, "another result in pieces")
    verdict("\(whole)")

    var only = decoder
    var scratch = ByteBuffer()
    switch Result(catching: { try only.decodeOnly(stream, scratch: &scratch) }) {
    case .success(nil): break
    case .success(let text?): demand(whole == Decoded(messages: [.text(text)]), "another text alone")
    case .failure(let error): demand(whole == Decoded(error: error as? WebSocketError), "another error alone")
    }

    for message in whole.messages {
        guard let (opcode, payload) = message.frame else { continue }
        var frame = ByteBuffer()
        WebSocketFrame.appendMasked(opcode: opcode, payload: payload, key: 0x1F2E_3D4C, to: &frame)
        let again = decode([frame], WebSocketDecoder(maxMessageBytes: 1 << 20))
        demand(again == Decoded(messages: [message]), "a message that changes")
    }
    return 0
}

struct Decoded: Equatable {
    var messages: [WebSocketMessage] = []
    var error: WebSocketError?
}

private func decode(_ pieces: [ByteBuffer], _ start: WebSocketDecoder) -> Decoded {
    var decoder = start
    var result = Decoded()
    for piece in pieces {
        var messages: [WebSocketMessage] = []
        do throws(WebSocketError) {
            try decoder.decode(piece, into: &messages)
        } catch {
            result.error = error
        }
        // Copies: the decoder may use the storage again.
        result.messages += messages.map(\.copy)
        if result.error != nil { break }
    }
    return result
}

extension WebSocketMessage {
    var copy: WebSocketMessage {
        func copy(_ buffer: ByteBuffer) -> ByteBuffer { ByteBuffer(bytes: buffer.readableBytesView) }
        return switch self {
        case .text(let text): .text(copy(text))
        case .binary(let bytes): .binary(copy(bytes))
        case .ping(let bytes): .ping(copy(bytes))
        case .pong(let bytes): .pong(copy(bytes))
        case .close(let code, let reason): .close(code: code, reason: copy(reason))
        }
    }

    /// Nil for close frames.
    var frame: (WebSocketOpcode, ByteBuffer)? {
        switch self {
        case .text(let text): (.text, text)
        case .binary(let bytes): (.binary, bytes)
        case .ping(let bytes): (.ping, bytes)
        case .pong(let bytes): (.pong, bytes)
        case .close: nil
        }
    }
}
