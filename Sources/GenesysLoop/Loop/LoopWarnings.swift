internal import CUV
internal import Logging

/// Warns of likely mistakes of a host.
///
/// May be used on any thread.
final class LoopWarnings: Sendable {
    private struct State: Sendable {
        var logger: Logger?
        /// A lost block was told: a host that loses one loses many.
        var isBlockTold = false
    }

    private let state = Locked(State())

    /// Where the warnings go; that of swift-log, made when it is first needed, unless the host set one.
    var logger: Logger {
        get {
            state.withLock { state in
                if let logger = state.logger { return logger }
                let made = Logger(label: "genesys-loop")
                state.logger = made
                return made
            }
        }
        set { state.withLock { $0.logger = newValue } }
    }

    func warn(_ sentence: String) {
        logger.warning("\(sentence)")
    }

    /// A block was given to a loop that does not run it.
    func blockWasLost(_ why: String) {
        let isFirst = state.withLock { state in
            defer { state.isBlockTold = true }
            return !state.isBlockTold
        }
        if isFirst { warn("A block that was given to UVLoop.execute(_:) does not run: \(why).") }
    }
}

/// What the hosts of a loop seem to have forgotten, until `run()` returns.
struct Forgotten {
    /// What tells of each channel or client that was made and not opened yet.
    private var unopened: [ObjectIdentifier: () -> Void] = [:]
    private var droppedCount = 0
    private var abandonedCount = 0

    /// A channel or a client was made.
    ///
    /// - Parameter warn: writes to its own log that it was never opened.
    mutating func made(_ object: AnyObject, warn: @escaping () -> Void) {
        unopened[ObjectIdentifier(object)] = warn
    }

    /// It was opened, or closed by its host.
    mutating func opened(_ object: AnyObject) {
        unopened[ObjectIdentifier(object)] = nil
    }

    /// It is being destroyed.
    ///
    /// - Returns: what tells that it was never opened.
    mutating func dropped(_ object: AnyObject) -> (() -> Void)? {
        guard let warn = unopened.removeValue(forKey: ObjectIdentifier(object)) else { return nil }
        droppedCount += 1
        return warn
    }

    /// It was closed, or failed, and there was no delegate to be told.
    mutating func lackedDelegate() {
        abandonedCount += 1
    }

    /// `run()` returns: gives out all that is to be said, once.
    ///
    /// - Parameter isOver: nothing is open any more. After `stop()` a host may have yet to open what it made.
    mutating func take(isOver: Bool) -> (warnings: [() -> Void], sentences: [String]) {
        var sentences: [String] = []
        if abandonedCount > 0 {
            sentences.append(
                "Channels or clients that ended without a delegate: \(abandonedCount). It is held weakly: keep it.")
            abandonedCount = 0
        }
        guard isOver else { return ([], sentences) }
        let count = droppedCount + unopened.count
        if count > 0 { sentences.append("Channels or clients that were made and never opened: \(count). Call open().") }
        defer {
            unopened = [:]
            droppedCount = 0
        }
        return (Array(unopened.values), sentences)
    }
}

extension UVLoop {
    /// Says what was forgotten.
    func sayWhatWasForgotten(isOver: Bool) {
        let (ownWarnings, sentences) = forgotten.take(isOver: isOver)
        for warn in ownWarnings { warn() }
        for sentence in sentences { warnings.warn(sentence) }
    }
}

/// Ends the process because the caller broke a rule that is stated in the documentation.
enum Misuse {
    /// Writes `sentence` to standard error and traps, in debug and in release (where `preconditionFailure` is mute).
    static func trap(_ sentence: String) -> Never {
        // The C string lives for the call.
        unsafe sentence.withCString { text in unsafe cuv_say(text) }
        preconditionFailure(sentence)
    }
}
