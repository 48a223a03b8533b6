import Foundation

/// The time limit of a suite that normally takes at most this many minutes.
///
/// It is a quarter of an hour with a sanitizer, which is much slower, and in the whole suite, where long pure tests
/// occupy all threads.
///
/// Otherwise it has four minutes more: the time in which a test waits for a slot or for a thread counts too.
func patience(_ minutes: Int) -> Int {
    isWhole || ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] != nil ? 15 : minutes + 4
}

/// Whether the long tests run too: `Scripts/test --all`.
let isWhole = ProcessInfo.processInfo.environment["GENESYS_LOOP_ALL"] != nil
