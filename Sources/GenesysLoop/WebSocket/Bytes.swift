/// The word-wise byte operations of the codec: the only file of the layer with unsafe code.
///
/// Every function checks its bounds once, traps when they are wrong (never reachable from the wire), and keeps no
/// pointer beyond its own call.
@safe enum Bytes {
    /// Appends `range` of `source` to `destination` in one copy.
    @inline(__always)
    static func append(_ source: Span<UInt8>, _ range: Range<Int>, to destination: inout [UInt8]) {
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
    /// Eight vectors at a time, then one; what is left is looked at with a vector that overlaps the one before.
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

    /// The high bits of sixteen bytes, those of the two halves on top of each other.
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
