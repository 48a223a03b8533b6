internal import FoundationEssentials
internal import GenesysLoop

/// The REST values that Foundation reads and writes.
enum RESTValues {
    private struct Element: Decodable {
        let id: String
    }

    /// The topics in the body of a request, `[{"id":"v2.…"},…]`; nil for any other body.
    static func topics(_ body: [UInt8]) -> [Topic]? {
        // Foundation accepts a comma at the end of a list, UTF-16 and other invalid JSON.
        do throws(EnvelopeError) {
            _ = try EnvelopeScanner.scan(body.span)
        } catch {
            guard error == .notAnObject else { return nil }
        }
        guard let elements = try? JSONDecoder().decode([Element].self, from: Data(body)) else { return nil }
        return elements.map { Topic($0.id) }
    }

    /// The text that is encoded in Base64; nil for anything else.
    static func text(ofBase64 text: String) -> String? {
        Data(base64Encoded: text).map { String(decoding: $0, as: UTF8.self) }
    }
}
