import Foundation

/// The members of one object of a script. Each is read once; an unread member is an error.
struct ScriptMembers {
    private var rest: [String: ScriptValue]
    /// The location of the object, for sentences.
    let place: String

    init(_ object: [String: ScriptValue], place: String) {
        rest = object
        self.place = place
    }

    func fault(_ sentence: String) -> SimulatorScript.Invalid {
        SimulatorScript.Invalid(description: sentence)
    }

    mutating func optionalNumber(_ name: String) throws(SimulatorScript.Invalid) -> Double? {
        guard let value = rest.removeValue(forKey: name) else { return nil }
        guard case .number(let number) = value, number >= 0, number <= 1e9 else {
            throw fault("'\(name)' in \(place) is no number from 0 to 1000000000.")
        }
        return number
    }

    /// A number in `range` without a fraction.
    mutating func optionalInteger(
        _ name: String, in range: ClosedRange<Int>
    ) throws(SimulatorScript.Invalid) -> Int? {
        guard let number = try optionalNumber(name) else { return nil }
        guard let integer = Int(exactly: number), range.contains(integer) else {
            throw fault("'\(name)' in \(place) is not a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return integer
    }

    mutating func number(_ name: String) throws(SimulatorScript.Invalid) -> Double {
        guard let number = try optionalNumber(name) else { throw missing(name) }
        return number
    }

    mutating func optionalBool(_ name: String) throws(SimulatorScript.Invalid) -> Bool? {
        guard let value = rest.removeValue(forKey: name) else { return nil }
        guard case .bool(let bool) = value else { throw fault("'\(name)' in \(place) is neither true nor false.") }
        return bool
    }

    mutating func text(_ name: String) throws(SimulatorScript.Invalid) -> String {
        guard let value = rest.removeValue(forKey: name) else { throw missing(name) }
        guard case .string(let text) = value else { throw fault("'\(name)' in \(place) is no string.") }
        return text
    }

    /// A string, or nil without one.
    mutating func optionalText(_ name: String) throws(SimulatorScript.Invalid) -> String? {
        rest[name] == nil ? nil : try text(name)
    }

    /// Whether the member is a string, and not a number.
    func isText(_ name: String) -> Bool {
        if case .string = rest[name] { true } else { false }
    }

    mutating func optionalTexts(_ name: String) throws(SimulatorScript.Invalid) -> [String]? {
        guard let value = rest.removeValue(forKey: name) else { return nil }
        var texts: [String] = []
        guard case .array(let list) = value else { throw fault("'\(name)' in \(place) is no list.") }
        for element in list {
            guard case .string(let text) = element else { throw fault("'\(name)' in \(place) is no list of strings.") }
            texts.append(text)
        }
        return texts
    }

    mutating func list(_ name: String) throws(SimulatorScript.Invalid) -> [ScriptValue] {
        guard let value = rest.removeValue(forKey: name) else { throw missing(name) }
        guard case .array(let list) = value else { throw fault("'\(name)' in \(place) is no list.") }
        return list
    }

    /// Any JSON value, as bytes; nil without one.
    mutating func optionalJSON(_ name: String) throws(SimulatorScript.Invalid) -> [UInt8]? {
        guard let value = rest.removeValue(forKey: name) else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { throw fault("'\(name)' in \(place) cannot be written.") }
        return [UInt8](data)
    }

    /// Refuses unread members: otherwise a misspelled name would be ignored.
    func finish() throws(SimulatorScript.Invalid) {
        guard let name = rest.keys.min() else { return }
        throw fault("'\(name)' means nothing in \(place).")
    }

    private func missing(_ name: String) -> SimulatorScript.Invalid {
        fault("'\(name)' is missing in \(place).")
    }
}
