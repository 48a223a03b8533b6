/// Joins sentences of different layers.
package enum Sentence {
    /// A sentence as a part of another: without its period, and in lower case unless it begins with a name.
    package static func clause(_ sentence: String) -> String {
        let body = sentence.hasSuffix(".") ? sentence.dropLast() : Substring(sentence)
        let word = body.prefix { $0.isLetter }
        guard word.dropFirst().allSatisfy(\.isLowercase) else { return String(body) }
        return body.prefix(1).lowercased() + body.dropFirst()
    }
}
