/// The grammar of JSON numbers (RFC 8259 §6).
enum JSONNumber {
    /// The offset after the number that starts at `start` with a digit or `-`.
    @inline(always)
    static func end(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var offset = start
        if message.byteOrZero(at: offset) == UInt8(ascii: "-") { offset &+= 1 }
        if message.byteOrZero(at: offset) == UInt8(ascii: "0") {
            offset &+= 1  // no digit may follow a leading zero
            guard !isDigit(message.byteOrZero(at: offset)) else {
                throw EnvelopeScanner.flaw(.invalidNumber, at: offset, in: message)
            }
        } else {
            offset = try endOfDigits(from: offset, in: message)
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
    @inline(always)
    private static func endOfDigits(from start: Int, in message: Span<UInt8>) throws(EnvelopeError) -> Int {
        var offset = start
        while isDigit(message.byteOrZero(at: offset)) { offset &+= 1 }
        guard offset > start else { throw EnvelopeScanner.flaw(.invalidNumber, at: offset, in: message) }
        return offset
    }

    @inline(always)
    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }
}
