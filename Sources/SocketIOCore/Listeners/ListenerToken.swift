/// Removes a listener: what `on` and its kin return.
public struct ListenerToken: Sendable {
    private let remove: @Sendable () -> Void

    package init(_ remove: @escaping @Sendable () -> Void) { self.remove = remove }

    /// From now on the listener is not called any more. Calling it again does nothing.
    public func cancel() { self.remove() }
}
