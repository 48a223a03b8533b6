internal import CUV

/// Ends the process because the caller broke a rule that is stated in the documentation.
enum Misuse {
    /// Writes `sentence` to standard error and traps, in debug and in release (where `preconditionFailure` is mute).
    static func trap(_ sentence: String) -> Never {
        // The C string lives for the call.
        unsafe sentence.withCString { text in unsafe cuv_say(text) }
        preconditionFailure(sentence)
    }
}
