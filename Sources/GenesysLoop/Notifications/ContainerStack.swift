/// Which containers are open, one bit for each: 512 levels without an allocation or a recursion.
///
/// The innermost 64 levels are in one word; the words above are put aside at every 64th level.
struct ContainerStack: Equatable, Sendable {
    /// The deepest nesting accepted; RFC 8259 §9 lets a parser set one.
    static let maxDepth = 512

    /// The number of open containers.
    private(set) var depth = 0
    private var bits: UInt64 = 0
    private var aside: SIMD8<UInt64> = .zero

    /// Whether the innermost container is an object.
    ///
    /// False when none is open.
    @inline(__always)
    var isObject: Bool { bits & 1 != 0 }

    /// The byte that closes the innermost container: `}` or `]`.
    @inline(__always)
    var closingByte: UInt8 { UInt8(ascii: "]") | UInt8(truncatingIfNeeded: bits & 1) << 5 }

    /// Opens a container.
    ///
    /// - Returns: false, with nothing changed, if it would be too deep.
    @inline(__always)
    mutating func push(isObject: Bool) -> Bool {
        if depth & 63 == 0 && depth > 0 {
            guard depth < ContainerStack.maxDepth else { return false }
            aside[depth / 64 - 1] = bits
        }
        bits = bits << 1 | (isObject ? 1 : 0)
        depth &+= 1
        return true
    }

    /// Closes the innermost container.
    @inline(__always)
    mutating func pop() {
        precondition(depth > 0, "a container was closed that was never opened")
        depth &-= 1
        bits >>= 1
        if depth & 63 == 0 && depth > 0 { bits = aside[depth / 64 - 1] }
    }
}
