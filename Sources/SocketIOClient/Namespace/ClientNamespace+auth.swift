import EngineIOClient
import SocketIOCore

extension ClientNamespace {
    func authenticate(_ number: Int) {
        self.cancelAuth()
        // The time for the next answer begins when it is asked for.
        self.joinTimer?.cancel()
        self.joinTimer = nil
        switch self.shared.withLock({ $0.auth.source }) {
        case .none: self.perform(self.state.authenticated(number, .success(nil)))
        case .value(let value): self.perform(self.state.authenticated(number, .success(value)))
        case .provider(let provider):
            self.authTask = Task { [weak self] in
                let result: Result<SocketIOValue?, any Error>
                do { result = .success(try await provider()) } catch { result = .failure(error) }
                guard let self else { return }
                self.manager.execute { self.perform(self.state.authenticated(number, result)) }
            }
        }
    }

    func cancelAuth() {
        self.authTask?.cancel()
        self.authTask = nil
        self.authTimer?.cancel()
        self.authTimer = nil
    }
}
