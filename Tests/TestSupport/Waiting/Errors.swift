/// How long every wait of this library lasts unless the caller says otherwise. Long: a machine that runs other things may hold
/// a test up for seconds, and only what never comes is waited for to the end.
package let defaultTimeout: Duration = .seconds(30)

/// Something that was awaited did not happen in time.
package struct TimeoutError: Error, CustomStringConvertible {
    /// What was awaited.
    package let what: String
    /// The deadline that passed.
    package let after: Duration
    /// The state of the thing at that moment.
    package let detail: String

    package var description: String {
        "timed out after \(after) waiting for \(what)" + (detail.isEmpty ? "" : " (\(detail))")
    }
}

/// The peer did something that the test did not expect, or that no correct peer does.
package struct PeerError: Error, Equatable, CustomStringConvertible {
    /// What happened.
    package let message: String

    /// Makes an error with a text for the person who reads the failed test.
    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
