internal import CUV

/// Random words from the system's generator, fetched 64 at a time, because a fetch is a system call.
///
/// Every frame takes a fresh masking key (RFC 6455 §5.3).
struct RandomWords {
    /// `getrandom` always returns this many bytes in one call.
    private static let fetchByteCount = 256

    private var words: [UInt32] = []

    /// The next word, which was never returned before.
    mutating func next() -> UInt32 {
        if words.isEmpty { fetch() }
        return words.removeLast()
    }

    private mutating func fetch() {
        words = [UInt32](repeating: 0, count: RandomWords.fetchByteCount / 4)
        // The array is alive and unchanged during the call, which is synchronous without a loop and a callback.
        let code = unsafe words.withUnsafeMutableBytes { unsafe uv_random(nil, nil, $0.baseAddress, $0.count, 0, nil) }
        // The generator of the standard library cannot fail.
        if code != 0 { words = [.random(in: .min ... .max)] }
    }
}
