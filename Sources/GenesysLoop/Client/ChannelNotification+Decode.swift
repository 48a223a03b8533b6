#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension ChannelNotification {
    /// Decodes `eventBody` as the service writes it: a `Date` is ISO 8601, with or without a fraction of a second.
    ///
    /// Copies the body and builds a tree of it, which takes far longer than receiving the message.
    ///
    /// - Parameter type: the type to decode.
    /// - Throws: `DecodingError`; `.valueNotFound` if the message has no `eventBody`, `.dataCorrupted` with the text
    ///   for a date in another format.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try decode(type, using: BodyDecoder.shared)
    }

    /// Decodes `eventBody` with the host's decoder, for other date and key strategies.
    ///
    /// - Parameters:
    ///   - type: the type to decode.
    ///   - decoder: is used as it is.
    /// - Throws: what the decoder throws; `DecodingError.valueNotFound` if the message has no `eventBody`.
    public func decode<T: Decodable>(_ type: T.Type, using decoder: JSONDecoder) throws -> T {
        guard bodySlice != nil else {
            throw DecodingError.valueNotFound(
                type, DecodingError.Context(codingPath: [], debugDescription: "The notification has no eventBody."))
        }
        // The memory belongs to the span, and lives during the call.
        let data = unsafe body.withUnsafeBytes { bytes in unsafe Data(bytes) }
        return try decoder.decode(type, from: data)
    }
}

extension OwnedNotification {
    /// Decodes `eventBody` as `ChannelNotification.decode(_:)` does.
    ///
    /// - Parameter type: the type to decode.
    /// - Throws: `DecodingError`; `.valueNotFound` if the message has no `eventBody`, `.dataCorrupted` with the text
    ///   for a date in another format.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try borrowed.decode(type)
    }

    /// Decodes `eventBody` with the host's decoder.
    ///
    /// - Parameters:
    ///   - type: the type to decode.
    ///   - decoder: is used as it is.
    /// - Throws: what the decoder throws; `DecodingError.valueNotFound` if the message has no `eventBody`.
    public func decode<T: Decodable>(_ type: T.Type, using decoder: JSONDecoder) throws -> T {
        try borrowed.decode(type, using: decoder)
    }
}

/// The default decoder of bodies.
private enum BodyDecoder {
    /// Made once: it keeps no state between calls, and several threads may use it at a time.
    static let shared = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom(date)
        return decoder
    }()

    private static let whole = Date.ISO8601FormatStyle()
    private static let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Accepts the service's format (`2024-05-14T09:03:17.047Z`), also without a fraction, and with an offset.
    @Sendable private static func date(from decoder: any Decoder) throws -> Date {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let style = text.utf8.contains(UInt8(ascii: ".")) ? fractional : whole
        // Match the whole text: `parse` accepts an interval and returns its first date.
        guard
            let (end, date) = try? style.consuming(
                text, startingAt: text.startIndex, in: text.startIndex..<text.endIndex),
            end == text.endIndex
        else {
            let excerpt = String(decoding: text.utf8.prefix(40), as: UTF8.self)
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "“\(excerpt)” is not an ISO 8601 time with date, time and offset.")
        }
        return date
    }
}
