internal import CUV
internal import Logging

/// Warns of likely mistakes of a host.
///
/// May be used on any thread.
final class LoopWarnings: Sendable {
    private struct State: Sendable {
        var logger: Logger?
        /// A lost block was reported. A host that loses one loses many, and one warning is enough.
        var isBlockTold = false
    }

    private let state = Locked(State())

    /// Where the warnings go: the host's logger, or one of swift-log that is made on first use.
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

    /// A loop does not run a block that it was given.
    func blockWasLost(_ why: String) {
        let isFirst = state.withLock { state in
            defer { state.isBlockTold = true }
            return !state.isBlockTold
        }
        if isFirst { warn("A block that was given to UVLoop.execute(_:) does not run: \(why).") }
    }
}

/// Likely omissions of the loop's host, collected until `run()` returns.
struct Forgotten {
    /// For each channel or client that was created and not opened yet, a closure that logs the warning.
    private var unopened: [ObjectIdentifier: () -> Void] = [:]
    private var droppedCount = 0
    private var abandonedCount = 0

    /// A channel or a client was created.
    ///
    /// - Parameter warn: logs in the object's own logger that it was never opened.
    mutating func made(_ object: AnyObject, warn: @escaping () -> Void) {
        unopened[ObjectIdentifier(object)] = warn
    }

    /// The object was opened, or its host closed it.
    mutating func opened(_ object: AnyObject) {
        unopened[ObjectIdentifier(object)] = nil
    }

    /// The object is being destroyed.
    ///
    /// - Returns: the closure that logs that it was never opened.
    mutating func dropped(_ object: AnyObject) -> (() -> Void)? {
        guard let warn = unopened.removeValue(forKey: ObjectIdentifier(object)) else { return nil }
        droppedCount += 1
        return warn
    }

    /// An object closed or failed without a delegate.
    mutating func lackedDelegate() {
        abandonedCount += 1
    }

    /// `run()` returns: takes the collected warnings.
    ///
    /// - Parameter isOver: nothing is open. After `stop()` the host may still open the objects that it created.
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
    /// Logs the collected warnings.
    func sayWhatWasForgotten(isOver: Bool) {
        let (ownWarnings, sentences) = forgotten.take(isOver: isOver)
        for warn in ownWarnings { warn() }
        for sentence in sentences { warnings.warn(sentence) }
    }
}

/// Ends the process because the caller broke a documented rule.
enum Misuse {
    /// Writes `sentence` to standard error and traps, in debug and in release, where `preconditionFailure` prints
    /// nothing.
    static func trap(_ sentence: String) -> Never {
        // The C string lives for the call.
        unsafe sentence.withCString { text in unsafe cuv_say(text) }
        preconditionFailure(sentence)
    }
}
