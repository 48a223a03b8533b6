#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension ChannelNotification {
    /// Decodes `eventBody` as the service writes it: a `Date` is ISO 8601, with a fraction of a second or without.
    ///
    /// Copies the body and builds a tree of it, which takes far longer than receiving the message did.
    ///
    /// - Parameter type: what the body is taken for.
    /// - Throws: `DecodingError`; `.valueNotFound` if the message has no `eventBody`, `.dataCorrupted` with the text for
    ///   a date of another form.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try decode(type, using: BodyDecoder.shared)
    }

    /// Decodes `eventBody` with a decoder of the host's, for other strategies of dates and keys.
    ///
    /// - Parameters:
    ///   - type: what the body is taken for.
    ///   - decoder: is used as it is.
    /// - Throws: what the decoder throws; `DecodingError.valueNotFound` if the message has no `eventBody`.
    public func decode<T: Decodable>(_ type: T.Type, using decoder: JSONDecoder) throws -> T {
        guard bodySlice != nil else {
            throw DecodingError.valueNotFound(
                type, DecodingError.Context(codingPath: [], debugDescription: "The notification has no eventBody."))
        }
        // The memory is the span's, and lives during the call.
        let data = unsafe body.withUnsafeBytes { bytes in unsafe Data(bytes) }
        return try decoder.decode(type, from: data)
    }
}

extension OwnedNotification {
    /// Decodes `eventBody` as `ChannelNotification.decode(_:)` does.
    ///
    /// - Parameter type: what the body is taken for.
    /// - Throws: `DecodingError`; `.valueNotFound` if the message has no `eventBody`, `.dataCorrupted` with the text for
    ///   a date of another form.
    public func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try borrowed.decode(type)
    }

    /// Decodes `eventBody` with a decoder of the host's.
    ///
    /// - Parameters:
    ///   - type: what the body is taken for.
    ///   - decoder: is used as it is.
    /// - Throws: what the decoder throws; `DecodingError.valueNotFound` if the message has no `eventBody`.
    public func decode<T: Decodable>(_ type: T.Type, using decoder: JSONDecoder) throws -> T {
        try borrowed.decode(type, using: decoder)
    }
}

/// How bodies are decoded unless the host brings a decoder.
private enum BodyDecoder {
    /// Made once: it keeps nothing of what it decodes, and may be used by several threads at a time.
    static let shared = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom(date)
        return decoder
    }()

    private static let whole = Date.ISO8601FormatStyle()
    private static let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// The service's own form (`2024-05-14T09:03:17.047Z`), the same without a fraction, and both with an offset.
    @Sendable private static func date(from decoder: any Decoder) throws -> Date {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let style = text.utf8.contains(UInt8(ascii: ".")) ? fractional : whole
        // All of the text: `parse` would take the first date of an interval for the whole.
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
