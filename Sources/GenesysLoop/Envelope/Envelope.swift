/// The members of one JSON object that the protocol knows: their positions in the message and their kinds.
///
/// Scanning a whole message gives the members of its outermost object. `members(of:in:)` finds those of `eventBody` and
/// `metadata` on demand: only control messages and few hosts need them. The last of several members of one name counts
/// (RFC 8259 §4), even if its value has the wrong type.
package struct Envelope: Equatable, Sendable {
    /// A member that the protocol knows.
    enum Field: CaseIterable, Sendable {
        case topicName, eventBody, metadata
        case correlationID, result, status, message, topics
        case reason, systemTopicType, metadataCorrelationID

        /// The field of that name; names are case-sensitive.
        @inline(always)
        init?(_ name: PackedName?) {
            guard let name else { return nil }
            switch name.byteCount {
            case 6:
                if name == PackedName("result") { self = .result; return }
                if name == PackedName("status") { self = .status; return }
                if name == PackedName("topics") { self = .topics; return }
                if name == PackedName("reason") { self = .reason; return }
            case 7:
                if name == PackedName("message") { self = .message; return }
            case 8:
                if name == PackedName("metadata") { self = .metadata; return }
            case 9:
                if name == PackedName("topicName") { self = .topicName; return }
                if name == PackedName("eventBody") { self = .eventBody; return }
            case 13:
                if name == PackedName("correlationId") { self = .correlationID; return }
                if name == PackedName("CorrelationId") { self = .metadataCorrelationID; return }
            case 15:
                if name == PackedName("systemTopicType") { self = .systemTopicType; return }
            default: break
            }
            return nil
        }
    }

    package internal(set) var topicName: JSONSlice?
    package internal(set) var eventBody: JSONSlice?
    package internal(set) var metadata: JSONSlice?
    /// `correlationId`, of a command reply.
    package internal(set) var correlationID: JSONSlice?
    package internal(set) var result: JSONSlice?
    package internal(set) var status: JSONSlice?
    /// `message`, of a command reply or of an `eventBody`.
    package internal(set) var message: JSONSlice?
    package internal(set) var topics: JSONSlice?
    /// `reason`, of the `eventBody` of a system topic.
    package internal(set) var reason: JSONSlice?
    /// `systemTopicType`, of the `eventBody` of a system topic.
    package internal(set) var systemTopicType: JSONSlice?
    /// `CorrelationId` with a capital C, of `metadata`.
    package internal(set) var metadataCorrelationID: JSONSlice?

    package init() {}

    private subscript(field: Field) -> JSONSlice? {
        switch field {
        case .topicName: topicName
        case .eventBody: eventBody
        case .metadata: metadata
        case .correlationID: correlationID
        case .result: result
        case .status: status
        case .message: message
        case .topics: topics
        case .reason: reason
        case .systemTopicType: systemTopicType
        case .metadataCorrelationID: metadataCorrelationID
        }
    }

    /// Records a member; replaces one of the same name.
    mutating func record(_ slice: JSONSlice, as field: Field) {
        switch field {
        case .topicName: topicName = slice
        case .eventBody: eventBody = slice
        case .metadata: metadata = slice
        case .correlationID: correlationID = slice
        case .result: result = slice
        case .status: status = slice
        case .message: message = slice
        case .topics: topics = slice
        case .reason: reason = slice
        case .systemTopicType: systemTopicType = slice
        case .metadataCorrelationID: metadataCorrelationID = slice
        }
    }

    /// Determines which string members have escapes, if the scan did not.
    @inline(never)
    mutating func findEscapes(in message: Span<UInt8>) {
        for field in Field.allCases {
            guard let slice = self[field] else { continue }
            record(JSONSlice(slice.range, in: message), as: field)
        }
    }

    /// The known members of an object inside the message, such as `eventBody` or `metadata`; none if it is not an
    /// object.
    ///
    /// - Parameters:
    ///   - slice: a value found by scanning `message`.
    ///   - message: the message that was scanned.
    package func members(of slice: JSONSlice?, in message: Span<UInt8>) -> Envelope {
        guard let slice, slice.kind == .object else { return Envelope() }
        return (try? EnvelopeScanner.scanValue(at: slice.range.lowerBound, in: message))?.members ?? Envelope()
    }
}

/// Why a message is not an envelope.
package enum EnvelopeError: Error, Equatable, CustomStringConvertible {
    /// The message breaks the JSON grammar at the byte `offset`.
    case invalidJSON(offset: Int, JSONViolation)
    /// The container that opens at the byte `offset` is nested deeper than `ContainerStack.maxDepth`.
    case tooDeep(offset: Int)
    /// Valid JSON, but an array, a string, a number or a literal.
    case notAnObject

    /// One sentence; it does not quote the message.
    package var description: String {
        switch self {
        case .invalidJSON(let offset, let violation):
            "The message is not JSON: \(violation.description) (byte \(offset))."
        case .tooDeep(let offset):
            "The message nests deeper than \(ContainerStack.maxDepth) arrays and objects (byte \(offset))."
        case .notAnObject: "The message is JSON, but not an object."
        }
    }
}
