#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The terminal that the program is started from.
final class Terminal {
    private let original: termios

    /// Nil if standard input and output are not both a terminal.
    init?() {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return nil }
        var attributes = termios()
        guard tcgetattr(STDIN_FILENO, &attributes) == 0 else { return nil }
        self.original = attributes
    }

    /// Has every key come at once, unseen, with no meaning of its own.
    func takeKeys() {
        var raw = self.original
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        raw.c_iflag &= ~tcflag_t(ICRNL | INLCR | IXON)
        withUnsafeMutableBytes(of: &raw.c_cc) { characters in
            characters[Int(VMIN)] = 1
            characters[Int(VTIME)] = 0
        }
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    }

    /// Makes it what it was.
    func restore() {
        var original = self.original
        tcsetattr(STDIN_FILENO, TCSADRAIN, &original)
    }

    var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Stops the program until the shell has it go on.
    func suspend() {
        self.restore()
        raise(SIGSTOP)
        self.takeKeys()
    }
}
