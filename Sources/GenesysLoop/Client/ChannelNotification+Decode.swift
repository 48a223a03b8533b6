#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension ChannelNotification {
    /// Decodes `eventBody` with a `JSONDecoder`.
    ///
    /// Copies the body and builds a tree of it, which takes far longer than receiving the message did.
    ///
    /// - Parameter type: what the body is taken for.
    /// - Throws: `DecodingError`; `.valueNotFound` if the message has no `eventBody`.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard bodySlice != nil else {
            throw DecodingError.valueNotFound(
                type, DecodingError.Context(codingPath: [], debugDescription: "The notification has no eventBody."))
        }
        // The memory is the span's, and lives during the call.
        let data = unsafe body.withUnsafeBytes { bytes in unsafe Data(bytes) }
        return try ChannelNotification.decoder.decode(type, from: data)
    }

    /// Made once: it keeps nothing of what it decodes, and may be used by several threads at a time.
    private static let decoder = JSONDecoder()
}
