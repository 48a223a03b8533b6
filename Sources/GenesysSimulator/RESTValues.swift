internal import FoundationEssentials
internal import GenesysLoop

/// What Foundation reads and writes for the REST side.
enum RESTValues {
    private struct Element: Decodable {
        let id: String
    }

    /// The topics in the body of a request, `[{"id":"v2.…"},…]`; nil where the body is something else.
    static func topics(_ body: [UInt8]) -> [Topic]? {
        // Foundation takes a comma before the end of a list, UTF-16 and more that is no JSON.
        do throws(EnvelopeError) {
            _ = try EnvelopeScanner.scan(body.span)
        } catch {
            guard error == .notAnObject else { return nil }
        }
        guard let elements = try? JSONDecoder().decode([Element].self, from: Data(body)) else { return nil }
        return elements.map { Topic($0.id) }
    }
}
