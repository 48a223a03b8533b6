/// A loop could not be created, typically because the process has no file descriptor left.
public struct UVLoopError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, as one sentence.
    public let description: String

    init(_ error: UVError) {
        description = "The event loop could not be set up (\(error))."
    }
}
