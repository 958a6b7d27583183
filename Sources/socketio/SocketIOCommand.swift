import ArgumentParser

@main
struct SocketIOCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socketio",
        abstract: "Socket.IO from the command line.",
        subcommands: [
            ServeCommand.self, ConnectCommand.self, EmitCommand.self, BenchCommand.self, DoctorCommand.self,
        ]
    )
}

/// Ends the command with one line on standard error and status 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
