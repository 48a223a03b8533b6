internal import GenesysLoop
internal import ServerKit

/// The body of a request (RFC 9112 §6), as it arrives.
struct RequestBody {
    static let maxByteCount = 1_048_576

    private enum Framing {
        case length(missingByteCount: Int)
        case chunked(ChunkedBody)
    }

    let head: UpgradeRequestHead
    private var framing: Framing
    private var received: [UInt8] = []

    /// The client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
    let isAwaited: Bool

    /// - Throws: the refusal to send in place of an answer.
    init(of head: UpgradeRequestHead) throws(SimulatedService.Refusal) {
        self.head = head
        isAwaited = !head.isHTTP10 && !head.fields.values(of: "expect").isEmpty
        let known: RequestFraming
        do throws(UpgradeRequestError) {
            known = try RequestFraming(of: head)
        } catch {
            throw SimulatedService.Refusal(status: error.status, message: error.description)
        }
        switch known {
        case .chunked:
            framing = .chunked(ChunkedBody(maxByteCount: Self.maxByteCount))
        case .length(let length):
            guard length <= Self.maxByteCount else { throw .bodyTooLarge }
            framing = .length(missingByteCount: length)
        }
    }

    var isComplete: Bool {
        switch framing {
        case .length(let missing): missing == 0
        case .chunked(let body): body.isComplete
        }
    }

    var bytes: [UInt8] {
        switch framing {
        case .length: received
        case .chunked(let body): body.bytes
        }
    }

    /// Consumes input from `offset` on, up to the end of the body, and leaves what follows.
    mutating func receive(_ input: Span<UInt8>, at offset: inout Int) throws(SimulatedService.Refusal) {
        switch framing {
        case .length(let missing):
            let end = min(input.count, offset + missing)
            for position in offset..<end { received.append(input[position]) }
            framing = .length(missingByteCount: missing - (end - offset))
            offset = end
        case .chunked(var body):
            // The enum releases the array meanwhile, so that appending copies nothing.
            framing = .length(missingByteCount: 0)
            try body.receive(input, at: &offset)
            framing = .chunked(body)
        }
    }
}

extension SimulatedService.Refusal {
    static let bodyTooLarge = Self(status: 413, message: "The body is too large.")
}
