/// A loop could not be created, typically because the process has no file descriptor left, or it has ended.
public struct UVLoopError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed, as one sentence.
    public let description: String

    init(_ error: UVError) {
        self.init("The event loop could not be set up (\(error)).")
    }

    private init(_ sentence: String) {
        description = sentence
    }

    /// The loop of a `LoopThread` has ended, so nothing runs on it.
    public static let ended = UVLoopError("The event loop has ended.")
}
