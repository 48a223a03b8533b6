// The `unsafe` code of this folder, but for `QuoteCursor`. Every function is total: it checks its own bounds, so no argument, and no
// message, makes it touch memory outside of the span. The memory is the span's, which outlives each call.
//
// `@inline(__always)` and closures, not `@inline(always)` and `Span`'s own accessors: the former are optimized before
// they are inlined, the latter left calls in the scanner's loops (`Scripts/bench codec` shows what that costs).

extension Span<UInt8> {
    /// The byte at `offset`, or 0 at any offset outside of the span.
    ///
    /// NUL is not allowed anywhere in JSON text, so "end of input" needs no test of its own on the good path.
    @safe @inline(__always)
    func byteOrZero(at offset: Int) -> UInt8 {
        guard UInt(bitPattern: offset) < UInt(bitPattern: count) else { return 0 }
        // In bounds by the guard above.
        return unsafe self[unchecked: offset]
    }

    /// Eight bytes from `offset`, the first in the lowest bits; bytes outside of the span read as 0.
    @safe @inline(__always)
    func word(at offset: Int) -> UInt64 {
        guard UInt(bitPattern: offset) < UInt(bitPattern: max(0, count &- 7)) else { return wordAtEdge(offset) }
        // `offset + 8 <= count` by the guard above; any alignment is allowed.
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }

    /// Sixteen bytes from `offset` as two words; bytes outside of the span read as 0.
    @safe @inline(__always)
    func wordPair(at offset: Int) -> (UInt64, UInt64) {
        guard UInt(bitPattern: offset) < UInt(bitPattern: max(0, count &- 15)) else {
            return (word(at: offset), word(at: offset &+ 8))
        }
        // `offset + 16 <= count` by the guard above; any alignment is allowed.
        let low = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        let high = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 8, as: UInt64.self)
        return (UInt64(littleEndian: low), UInt64(littleEndian: high))
    }

    /// Thirty-two bytes from `offset` as four words, nil if there are not so many.
    @safe @inline(__always)
    func wordQuad(at offset: Int) -> SIMD4<UInt64>? {
        guard UInt(bitPattern: offset) < UInt(bitPattern: max(0, count &- 31)) else { return nil }
        // `offset + 32 <= count` by the guard above; any alignment is allowed, and the order of bytes does not matter.
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD4<UInt64>.self)
    }

    /// The last bytes of the span as a word.
    @inline(never)
    private func wordAtEdge(_ offset: Int) -> UInt64 {
        guard offset >= 0, offset < count else { return 0 }
        guard count < 8 else { return word(at: count &- 8) >> UInt64((offset &- (count &- 8)) &* 8) }
        var word: UInt64 = 0
        for index in (offset..<count).reversed() {
            word = word << 8 | UInt64(byteOrZero(at: index))
        }
        return word
    }

    /// A copy of the bytes, made in one go.
    @safe
    func byteArray() -> [UInt8] {
        // Both pointers live for the closure; an empty buffer copies nothing.
        unsafe withUnsafeBufferPointer { source in unsafe [UInt8](source) }
    }

    /// The bytes as text.
    ///
    /// Bytes that are not UTF-8 become U+FFFD.
    @safe
    func text() -> String {
        // The pointer lives for the closure; the string owns a copy.
        unsafe withUnsafeBufferPointer { source in unsafe String(decoding: source, as: UTF8.self) }
    }
}

extension PackedName {
    /// The name of a literal of at most 15 ASCII bytes.
    ///
    /// The optimizer folds it to constants.
    @safe @inline(__always)
    init(_ literal: StaticString) {
        precondition(literal.hasPointerRepresentation && literal.utf8CodeUnitCount <= PackedName.maxByteCount)
        self.init()
        for index in 0..<literal.utf8CodeUnitCount {
            // In bounds of the literal, which is never freed.
            append(unsafe literal.utf8Start[index])
        }
    }
}
