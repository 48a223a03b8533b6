/// The grammar of JSON numbers (RFC 8259 §6).
enum JSONNumber {
    /// The offset after the number that starts at `start` with a digit or `-`.
    @inline(__always)
    static func end(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        let first = message.byteOrZero(at: start) == UInt8(ascii: "-") ? start &+ 1 : start
        var offset = try endOfDigits(from: first, in: message)
        if message.byteOrZero(at: first) == UInt8(ascii: "0") && offset > first &+ 1 {
            throw EnvelopeScanner.flaw(.invalidNumber, at: first &+ 1, in: message)  // a zero leads
        }
        if message.byteOrZero(at: offset) == UInt8(ascii: ".") {
            offset = try endOfDigits(from: offset &+ 1, in: message)
        }
        if message.byteOrZero(at: offset) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            let sign = message.byteOrZero(at: offset)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset &+= 1 }
            offset = try endOfDigits(from: offset, in: message)
        }
        return offset
    }

    /// The offset after one or more digits.
    ///
    /// Byte by byte: the processor guesses how many there are, and need not wait for the answer to go on. Eight at a
    /// time is slower where numbers are many (`Scripts/bench codec`).
    @inline(__always)
    private static func endOfDigits(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var offset = start
        while message.byteOrZero(at: offset) &- UInt8(ascii: "0") < 10 { offset &+= 1 }
        guard offset > start else { throw EnvelopeScanner.flaw(.invalidNumber, at: offset, in: message) }
        return offset
    }
}
