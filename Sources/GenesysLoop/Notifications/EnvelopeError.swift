/// Why a message is no envelope.
package enum EnvelopeError: Error, Equatable, CustomStringConvertible {
    /// The message breaks the JSON grammar at the byte `offset`.
    case invalidJSON(offset: Int, JSONFlaw)
    /// The container that opens at the byte `offset` is nested deeper than `ContainerStack.maxDepth`.
    case tooDeep(offset: Int)
    /// Valid JSON, but an array, a string, a number or a literal.
    case notAnObject

    /// One sentence; it quotes nothing of the message.
    package var description: String {
        switch self {
        case .invalidJSON(let offset, let flaw): "The message is not JSON: \(flaw.description) (byte \(offset))."
        case .tooDeep(let offset):
            "The message nests deeper than \(ContainerStack.maxDepth) arrays and objects (byte \(offset))."
        case .notAnObject: "The message is JSON, but not an object."
        }
    }
}
