import Foundation

/// The time limit of a suite that normally takes at most this many minutes.
///
/// It is a quarter of an hour with a sanitizer, which is much slower, and in the whole suite, where long pure tests
/// occupy all threads.
///
/// Otherwise it has four minutes more: the time in which a test waits for a slot or for a thread counts too.
func patience(_ minutes: Int) -> Int {
    let environment = ProcessInfo.processInfo.environment
    let isSlow = environment["GENESYS_LOOP_SANITIZER"] != nil || environment["GENESYS_LOOP_ALL"] != nil
    return isSlow ? 15 : minutes + 4
}
