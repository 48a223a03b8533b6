import Foundation

/// The time limit of a suite that takes at most this many minutes: a quarter of an hour under a sanitizer, which is
/// much slower, and in the whole suite, where long pure tests occupy both of its threads.
func patience(_ minutes: Int) -> Int {
    let environment = ProcessInfo.processInfo.environment
    let isSlow = environment["GENESYS_LOOP_SANITIZER"] != nil || environment["GENESYS_LOOP_ALL"] != nil
    return isSlow ? 15 : minutes
}
