import ArgumentParser
import GenesysLoop
import ToolSupport

/// A secret of one line, and its source. No printed form contains the secret.
struct Secret {
    let bytes: [UInt8]
    /// The file or the variable, at the beginning of a sentence.
    let source: String

    /// Takes the line out of the contents of `source`.
    init(_ contents: [UInt8], from source: String) throws {
        self.source = source
        do throws(SecretLine.Unusable) {
            bytes = try SecretLine.parse(contents)
        } catch {
            throw ValidationError("\(source) \(error.rawValue); it takes one line.")
        }
    }

    /// Takes the value of a variable out of the environment; nil if the variable is unset or blank.
    static func taken(from name: String) throws -> Secret? {
        guard let value = Environment.takeSecret(of: name), !SecretLine.isBlank(value) else { return nil }
        return try Secret(value, from: "The variable \(name)")
    }
}

extension Secret: CustomStringConvertible, CustomReflectable {
    var description: String { source }
    var customMirror: Mirror { Mirror(self, children: []) }
}

/// The options whose value `-` is standard input.
enum StandardInput {
    /// Refuses a second reader.
    static func check(_ options: [(name: String, path: String?)]) throws {
        let readers = options.filter { $0.path == "-" }.map(\.name)
        guard readers.count < 2 else {
            throw ValidationError(
                "\(readers.joined(separator: " and ")) cannot both be standard input (-): give a file to one of them.")
        }
    }
}
