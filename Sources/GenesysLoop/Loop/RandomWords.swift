internal import CUV

/// Random words of the system's generator, fetched 64 at a time: a fetch is a system call.
///
/// For masking keys, of which every frame takes a fresh one (RFC 6455 §5.3).
struct RandomWords {
    /// Up to this many bytes `getrandom` gives in one go, whatever else happens.
    private static let fetchByteCount = 256

    private var words: [UInt32] = []

    /// A word that was never handed out before.
    mutating func next() -> UInt32 {
        if words.isEmpty { fetch() }
        return words.removeLast()
    }

    private mutating func fetch() {
        words = [UInt32](repeating: 0, count: RandomWords.fetchByteCount / 4)
        // The array lives, unchanged, during the call; without a loop and a callback it is synchronous.
        let code = unsafe words.withUnsafeMutableBytes { unsafe uv_random(nil, nil, $0.baseAddress, $0.count, 0, nil) }
        // Then from the generator of the standard library, which knows no failure.
        if code != 0 { words = [.random(in: .min ... .max)] }
    }
}
