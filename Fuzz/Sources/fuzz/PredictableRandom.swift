internal import COpenSSL

/// Random numbers for OpenSSL that are the same in every run, so that a finding can be reproduced.
///
/// For this program only: the numbers are known, so nothing encrypted with them is secret.
enum PredictableRandom {
    nonisolated(unsafe) private static var state: UInt64 = 0

    nonisolated(unsafe) private static var method = unsafe RAND_METHOD(
        seed: { _, _ in 1 },
        bytes: { buffer, count in unsafe PredictableRandom.fill(buffer, count) },
        cleanup: {},
        add: { _, _, _ in 1 },
        pseudorand: { buffer, count in unsafe PredictableRandom.fill(buffer, count) },
        status: { 1 })

    /// After this call OpenSSL draws all its random numbers from here.
    static func install() {
        // The method lives as long as the process.
        _ = unsafe withUnsafePointer(to: &method) { unsafe RAND_set_rand_method($0) }
    }

    static func restart() {
        unsafe state = 0
    }

    private static func fill(_ buffer: UnsafeMutablePointer<UInt8>?, _ count: Int32) -> Int32 {
        guard let buffer = unsafe buffer else { return 0 }
        for index in 0..<Int(count) {
            unsafe state = unsafe state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            unsafe buffer[index] = unsafe UInt8(truncatingIfNeeded: state >> 56)
        }
        return 1
    }
}
