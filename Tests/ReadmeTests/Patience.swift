import Foundation

/// The time limit of a suite that takes so many minutes at the most: under a sanitizer, where everything takes ten times
/// as long, and in the whole suite, where long pure tests hold both threads of it for minutes, a quarter of an hour.
func patience(_ minutes: Int) -> Int {
    let environment = ProcessInfo.processInfo.environment
    let isSlow = environment["GENESYS_LOOP_SANITIZER"] != nil || environment["GENESYS_LOOP_ALL"] != nil
    return isSlow ? 15 : minutes
}
