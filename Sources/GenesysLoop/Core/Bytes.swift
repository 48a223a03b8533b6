/// The word-wise byte operations of the codec.
///
/// Every function checks its bounds once, traps when they are wrong (never reachable from the wire), and keeps no
/// pointer beyond its own call.
@safe package enum Bytes {
    /// Appends `range` of `source` to `destination` in one copy.
    @inline(__always)
    package static func append(_ source: Span<UInt8>, _ range: Range<Int>, to destination: inout [UInt8]) {
        let part = source.extracting(range)
        // The span keeps its memory alive for the call; `append` copies before it returns.
        unsafe part.withUnsafeBufferPointer { bytes in unsafe destination.append(contentsOf: bytes) }
    }

    /// Applies a masking key to the bytes from `start` to the end (RFC 6455 §5.3).
    ///
    /// - Parameters:
    ///   - key: its most significant byte is the first byte of the key on the wire.
    ///   - phase: how many bytes of the same payload came before `start`.
    static func mask(_ bytes: inout [UInt8], from start: Int, key: UInt32, phase: Int) {
        precondition(start >= 0 && start <= bytes.count, "masking starts beyond the bytes")
        let turn = UInt32(truncatingIfNeeded: phase & 3) &* 8
        let turned = turn == 0 ? key : (key &<< turn) | (key &>> (32 &- turn))
        let half = UInt64(turned.bigEndian)
        let word = half | (half &<< 32)
        // The array keeps its storage alive and unshared inside the closure.
        unsafe bytes.withUnsafeMutableBytes { raw in
            var index = start
            while raw.count &- index >= 8 {
                let masked = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word
                unsafe raw.storeBytes(of: masked, toByteOffset: index, as: UInt64.self)
                index &+= 8
            }
            var shift: UInt32 = 24
            while index < raw.count {
                unsafe raw[index] ^= UInt8(truncatingIfNeeded: turned &>> shift)
                shift = (shift &- 8) & 31
                index &+= 1
            }
        }
    }

    /// The index of the first byte of `range` above 0x7F, or its end.
    ///
    /// Reads eight vectors at a time, then one; the rest is read with a vector that overlaps the one before.
    static func endOfASCII(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range beyond the bytes")
        let end = range.upperBound
        // The span keeps its memory alive inside the closure; every load begins at or after the beginning of `range`
        // and ends at or before `end`.
        return unsafe bytes.withUnsafeBytes { raw in
            var index = range.lowerBound
            while end &- index >= 128 {
                var sum = SIMD16<UInt8>.zero
                for step in 0..<8 {
                    sum |= unsafe raw.loadUnaligned(fromByteOffset: index &+ 16 &* step, as: SIMD16<UInt8>.self)
                }
                if highBits(sum) != 0 { break }
                index &+= 128
            }
            while end &- index >= 16 {
                if unsafe highBits(raw.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self)) != 0 { break }
                index &+= 16
            }
            if range.count >= 16 && end &- index < 16 {
                let last = unsafe raw.loadUnaligned(fromByteOffset: end &- 16, as: SIMD16<UInt8>.self)
                if highBits(last) == 0 { return end }
            }
            while end &- index >= 8 {
                let word = unsafe UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let high = word & 0x8080_8080_8080_8080
                if high != 0 { return index &+ high.trailingZeroBitCount / 8 }
                index &+= 8
            }
            while index < end, unsafe raw[index] < 0x80 { index &+= 1 }
            return index
        }
    }

    /// The high bits of sixteen bytes: the OR of the two halves.
    @inline(__always)
    private static func highBits(_ vector: SIMD16<UInt8>) -> UInt64 {
        // Both types are sixteen plain bytes.
        let words = unsafe unsafeBitCast(vector, to: SIMD2<UInt64>.self)
        return (words[0] | words[1]) & 0x8080_8080_8080_8080
    }

    /// The eight bytes at `index`, the first of them in the low bits.
    @inline(__always)
    static func littleEndianWord(in bytes: Span<UInt8>, at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= bytes.count &- 8, "word beyond the bytes")
        // The span keeps its memory alive inside the closure; the bounds were checked above.
        return unsafe bytes.withUnsafeBytes { raw in
            unsafe UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
    }
}

// Every function is total: it checks its own bounds, so no argument and no message makes it touch memory outside of the
// span. The span owns the memory and outlives each call.
//
// `@inline(__always)` and closures, not `@inline(always)` and `Span`'s own accessors: the former are optimized before
// they are inlined, the latter left calls in the scanner's loops (`Scripts/bench codec` shows what that costs).

extension Span<UInt8> {
    /// The byte at `offset`, or 0 at any offset outside of the span.
    ///
    /// NUL is not allowed anywhere in JSON text, so "end of input" needs no separate test on the valid path.
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

    /// Thirty-two bytes from `offset` as four words, nil if fewer are left.
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

    /// A copy of the bytes, made with one call.
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
