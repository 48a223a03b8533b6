import Foundation
import GenesysLoop

/// The JSON text of a script: strict (RFC 8259), with the line and column of an error.
///
/// Foundation accepts some syntax errors, for example a comma before the end of a list, and does not report the
/// position of others.
struct ScriptText {
    private let bytes: [UInt8]
    private let name: String

    init(_ data: Data, name: String) {
        bytes = [UInt8](data)
        self.name = name
    }

    func object() throws(SimulatorScript.Invalid) -> [String: ScriptValue] {
        if let offset = endOfUTF8 { throw invalid("a byte is not UTF-8", at: offset) }
        do throws(EnvelopeError) {
            _ = try EnvelopeScanner.scan(bytes.span)
        } catch {
            switch error {
            case .invalidJSON(let offset, let violation): throw invalid(of: violation, at: offset)
            case .tooDeep(let offset): throw invalid("too many arrays and objects are nested", at: offset)
            case .notAnObject: throw SimulatorScript.Invalid(description: "The script '\(name)' is no JSON object.")
            }
        }
        // The grammar still allows a number beyond a Double, or half of a surrogate pair.
        guard case .object(let root)? = try? JSONDecoder().decode(ScriptValue.self, from: Data(bytes)) else {
            throw SimulatorScript.Invalid(
                description:
                    "The script '\(name)' holds a number that is too large, or a \\u escape without its other half.")
        }
        return root
    }

    private func invalid(of violation: JSONViolation, at offset: Int) -> SimulatorScript.Invalid {
        let isEnd = offset < bytes.count && [UInt8(ascii: "]"), UInt8(ascii: "}")].contains(bytes[offset])
        let before = bytes[..<min(offset, bytes.count)].lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        guard isEnd, let before, bytes[before] == UInt8(ascii: ",") else {
            return invalid(violation.description, at: offset)
        }
        return invalid("a comma stands before the end of an array or object", at: before)
    }

    private func invalid(_ what: String, at offset: Int) -> SimulatorScript.Invalid {
        let before = bytes[..<min(offset, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let start = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let column = String(decoding: before[start...], as: UTF8.self).count + 1
        return SimulatorScript.Invalid(
            description: "The script '\(name)' is not JSON: line \(line), column \(column): \(what).")
    }

    /// The position of the first byte that is not UTF-8; nil if there is none.
    private var endOfUTF8: Int? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return offset
            }
        }
    }
}
