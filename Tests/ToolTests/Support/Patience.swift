import Foundation

/// The time limit of a suite that takes so many minutes at the most: under a sanitizer, where everything takes ten times
/// as long and long pure tests hold the processor, a quarter of an hour.
func patience(_ minutes: Int) -> Int {
    ProcessInfo.processInfo.environment["GENESYS_LOOP_SANITIZER"] == nil ? minutes : 15
}
