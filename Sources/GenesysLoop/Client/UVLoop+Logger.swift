public import Logging

extension UVLoop {
    /// Where the loop warns of likely mistakes of its host, once for each kind.
    ///
    /// - A block was given to `execute(_:)` after `run()` had returned because nothing was open, or after
    ///   `detach(completion:)` took effect, or never ran before the loop was released.
    /// - When `run()` returns, or `detach(completion:)` takes effect: channels and clients ended without a delegate, or
    ///   were made and never opened. Each of them has told its own logger too.
    ///
    /// Default: a logger of swift-log with the label `genesys-loop`, which writes to standard error unless the program
    /// has set up another log. May be used on any thread.
    public var logger: Logger {
        get { warnings.logger }
        set { warnings.logger = newValue }
    }
}
