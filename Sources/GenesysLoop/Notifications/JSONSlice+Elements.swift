extension JSONSlice {
    /// The values of an array, in order; none for a value of another kind.
    ///
    /// - Parameter message: the whole message, which was scanned and found valid.
    package func elements(in message: Span<UInt8>) -> [JSONSlice] {
        guard kind == .array else { return [] }
        var elements: [JSONSlice] = []
        var position = range.lowerBound &+ 1
        // Between the values of an array that was scanned there are only commas and white space.
        while position < range.upperBound &- 1 {
            switch message.byteOrZero(at: position) {
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                position &+= 1
            default:
                guard let value = try? EnvelopeScanner.scanValue(at: position, in: message) else { return elements }
                elements.append(JSONSlice(position..<value.end, in: message))
                position = value.end
            }
        }
        return elements
    }
}
