/// The obvious implementation: an automaton with a table, one byte a step (RFC 3629 §4).
struct NaiveUTF8 {
    /// The class of a byte, as far as the rules distinguish bytes.
    private static let classes: [UInt8] = (0...255).map { byte in
        switch byte {
        case 0x00...0x7F: 0
        case 0x80...0x8F: 1
        case 0x90...0x9F: 2
        case 0xA0...0xBF: 3
        case 0xC2...0xDF: 4
        case 0xE0: 5
        case 0xED: 6
        case 0xE1...0xEF: 7
        case 0xF0: 8
        case 0xF1...0xF3: 9
        case 0xF4: 10
        default: 11
        }
    }

    /// The state after a byte of each of the twelve classes; 0 is the beginning, 8 the state of invalid text.
    private static let transitions: [UInt8] = [
        0, 8, 8, 8, 1, 4, 5, 2, 6, 3, 7, 8,  // between two characters
        8, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8,  // one more
        8, 1, 1, 1, 8, 8, 8, 8, 8, 8, 8, 8,  // two more
        8, 2, 2, 2, 8, 8, 8, 8, 8, 8, 8, 8,  // three more
        8, 8, 8, 1, 8, 8, 8, 8, 8, 8, 8, 8,  // after E0
        8, 1, 1, 8, 8, 8, 8, 8, 8, 8, 8, 8,  // after ED
        8, 8, 2, 2, 8, 8, 8, 8, 8, 8, 8, 8,  // after F0
        8, 2, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,  // after F4
        8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
    ]

    static func isValid(_ bytes: [UInt8]) -> Bool {
        let (classes, transitions) = (classes, transitions)
        var state: UInt8 = 0
        for byte in bytes { state = transitions[Int(state) * 12 + Int(classes[Int(byte)])] }
        return state == 0
    }
}
