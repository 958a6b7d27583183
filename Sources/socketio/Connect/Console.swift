import SocketIOClient

/// Where lines come from and go to: a terminal with a prompt, or pipes.
final class Console {
    enum Input: Equatable {
        case line(String)
        case leave
    }

    private let printer: TranscriptPrinter
    private let terminal: Terminal?
    private var editor = LineEditor()
    private var splitter = LineSplitter()
    private var hasPrompt = false
    /// Nobody reads what is written any more.
    private(set) var isBroken = false

    private static let prompt = "> "

    /// - Parameter terminal: if there is one, it has a prompt.
    init(_ printer: TranscriptPrinter, terminal: Terminal?) {
        self.printer = printer
        self.terminal = terminal
    }

    var isInteractive: Bool { self.terminal != nil }

    func begin() {
        guard let terminal = self.terminal else { return }
        terminal.takeKeys()
        self.hasPrompt = true
        self.refresh()
    }

    /// Takes the prompt away and gives the terminal back.
    func end() {
        guard let terminal = self.terminal, self.hasPrompt else { return }
        self.write(PromptView.erase)
        self.hasPrompt = false
        terminal.restore()
    }

    // MARK: Writing

    func show(_ occurrence: Occurrence) {
        let line = self.printer.line(occurrence)
        self.show(line.text, isResult: line.isResult)
    }

    /// - Parameter line: safe for a terminal.
    func show(_ line: String, isResult: Bool = false) {
        guard self.isInteractive else {
            if !StandardStreams.write(line + "\n", toError: !isResult), isResult { self.isBroken = true }
            return
        }
        self.write((self.hasPrompt ? PromptView.erase : "") + line + "\n")
        self.refresh()
    }

    func show(fault: LineFault, in text: String) {
        for line in fault.pointing(into: text, columns: self.terminal?.columns ?? 80) {
            self.show(self.isInteractive ? self.printer.palette.paint(line, .failure) : line)
        }
    }

    /// Draws the prompt again.
    func refresh() {
        guard let terminal = self.terminal, self.hasPrompt else { return }
        self.write(PromptView.draw(prompt: Self.prompt, self.editor, columns: terminal.columns))
    }

    private func write(_ text: String) {
        if !StandardStreams.write(text) { self.isBroken = true }
    }

    // MARK: Reading

    /// What the user has typed, or a pipe has brought; empty bytes are its end.
    func read(_ bytes: [UInt8]) -> [Input] {
        guard let terminal = self.terminal else {
            return (bytes.isEmpty ? self.splitter.end() : self.splitter.feed(bytes)).map { .line($0) }
        }
        if bytes.isEmpty { return [.leave] }
        var inputs: [Input] = []
        for event in self.editor.feed(bytes) {
            switch event {
            case .line(let line): inputs.append(.line(line))
            case .abandoned: break
            case .leave: inputs.append(.leave)
            case .clearScreen: self.write("\u{1B}[H\u{1B}[2J")
            case .suspend:
                self.write(PromptView.erase)
                terminal.suspend()
            }
        }
        return inputs
    }
}
