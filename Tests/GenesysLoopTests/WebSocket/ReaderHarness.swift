@testable import GenesysLoop

/// Feeds pieces of one stream to a reader, with its decoder and optional decompression, and records the events.
struct ReaderHarness: ~Copyable {
    private var reader: MessageReader
    private(set) var events: [OwnedEvent] = []

    init(role: WebSocketRole, limits: MessageLimits, deflate: DeflateParameters?) {
        reader = MessageReader(role: role, limits: limits, deflate: deflate)
    }

    var isMidMessage: Bool { reader.isMidMessage }

    mutating func feed(_ input: Span<UInt8>) {
        var offset = 0
        do throws(WebSocketViolation) {
            while let event = try next(in: input, at: &offset) { events.append(event) }
            precondition(offset == input.count, "needMore with input left")
        } catch {
            precondition(offset == input.count, "a violation leaves input")
            if events.last != .violation(error) { events.append(.violation(error)) }
        }
    }

    private mutating func next(in input: Span<UInt8>, at offset: inout Int) throws(WebSocketViolation) -> OwnedEvent? {
        switch try reader.next(in: input, at: &offset) {
        case .needMore: return nil
        case .message(let kind, let range): return .message(kind, input.extracting(range).byteArray())
        case .assembledMessage(let kind):
            let message = reader.takeMessage()
            let event = OwnedEvent.message(kind, message)
            reader.recycle(message)
            return event
        case .ping: return .ping(reader.controlPayload)
        case .pong: return .pong(reader.controlPayload)
        case .close(let code): return .close(code, reader.closeReason)
        }
    }
}
