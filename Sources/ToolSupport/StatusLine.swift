/// The last line of a terminal, which is overwritten in place.
///
/// The cursor stays at its beginning, so that other output to the same terminal overwrites it.
struct StatusLine: Sendable {
    /// What to show; nil for nothing.
    private var text: [UInt8]?
    /// What the terminal shows.
    private var shown: [UInt8]?

    /// CR, and the sequence that erases to the end of the line.
    private static let erasure: [UInt8] = [0x0D, 0x1B, 0x5B, 0x4B]

    /// Changes the text; returns whether the terminal shows something else.
    mutating func set(_ text: [UInt8]?) -> Bool {
        self.text = text
        return text != shown
    }

    /// The bytes that make the terminal show the text; nil if it does.
    mutating func drawing() -> [UInt8]? {
        guard text != shown else { return nil }
        shown = text
        return StatusLine.erasure + (text.map { $0 + [0x0D] } ?? [])
    }

    /// Puts the lines above the text; returns the number of bytes added.
    mutating func wrap(_ lines: inout [UInt8]) -> Int {
        let count = lines.count
        if shown != nil { lines.insert(contentsOf: StatusLine.erasure, at: 0) }
        shown = nil
        if let drawing = drawing() { lines += drawing }
        return lines.count - count
    }
}
