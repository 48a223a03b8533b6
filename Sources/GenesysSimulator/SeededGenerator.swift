internal import GenesysLoop

/// A small random number generator whose output depends only on its seed. Not for secrets.
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable {
    private var base: SplitMix64

    /// Creates a generator; equal seeds give equal sequences.
    public init(seed: UInt64) {
        base = SplitMix64(seed: seed)
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        base.next()
    }
}
