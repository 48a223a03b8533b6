import Foundation

/// The time limit of a suite that takes at most this many minutes: a quarter of an hour under a sanitizer, which is
/// much slower, and in the whole suite, where long pure tests occupy both of its threads.
///
/// Otherwise it has four minutes more: the time in which a test waits for a slot or for a thread counts too.
func patience(_ minutes: Int) -> Int {
    let environment = ProcessInfo.processInfo.environment
    let isSlow = environment["GENESYS_LOOP_SANITIZER"] != nil || environment["GENESYS_LOOP_ALL"] != nil
    return isSlow ? 15 : minutes + 4
}
