#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension ChannelNotification {
    /// Decodes `eventBody` with a `JSONDecoder`.
    ///
    /// Costs a copy of the body and a tree: about 25 times what receiving the message costs.
    ///
    /// - Parameter type: what the body is taken for.
    /// - Throws: `DecodingError`; `.valueNotFound` if the message has no `eventBody`.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard bodySlice != nil else {
            throw DecodingError.valueNotFound(
                type, DecodingError.Context(codingPath: [], debugDescription: "The notification has no eventBody."))
        }
        return try JSONDecoder().decode(type, from: Data(body.byteArray()))
    }
}
