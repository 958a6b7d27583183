import ArgumentParser
import SocketIOCore

/// How packets are written, in the words of the reference.
enum ParserOption: String, ExpressibleByArgument, CaseIterable {
    case `default`
    case msgpack

    var choice: ParserChoice {
        switch self {
        case .default: .json
        case .msgpack: .messagePack
        }
    }
}
