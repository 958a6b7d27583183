extension EngineIOSession.StagedSend {
    /// Whether nothing is left to be done: the packet waits behind others that are on their way.
    package var isDone: Bool {
        if case .queued(nil) = self.appended { true } else { false }
    }
}
