internal import GenesysLoop

/// Plain HTTP on the port of the sockets: one request, one answer, then the end.
extension ServerConnection {
    static let maxBodyByteCount = 1_048_576

    /// A request whose body is not complete yet.
    struct PendingBody {
        let head: UpgradeRequestHead
        var missingByteCount: Int
        var bytes: [UInt8] = []
    }

    /// Whether a request wants the REST side and no WebSocket.
    static func isPlain(_ head: UpgradeRequestHead) -> Bool {
        head.fields.values(of: "upgrade").isEmpty && head.target.hasPrefix("/api/")
    }

    /// Waits for the body, or answers at once where there is none.
    func plainRequestReceived(_ head: UpgradeRequestHead) {
        guard head.fields.values(of: "transfer-encoding").isEmpty else {
            return refuse(SimulatedService.Refusal(status: 411, message: "A body needs a Content-Length."))
        }
        let lengths = head.fields.values(of: "content-length")
        guard lengths.count <= 1, let length = lengths.first.map({ Int($0) }) ?? 0, length >= 0 else {
            return refuse(.badRequest("The Content-Length is no number."))
        }
        guard length <= ServerConnection.maxBodyByteCount else {
            return refuse(SimulatedService.Refusal(status: 413, message: "The body is too large."))
        }
        pendingBody = PendingBody(head: head, missingByteCount: length)
        if length == 0 { answerPlainRequest() }
    }

    /// Takes what belongs to the body; nothing that follows it is looked at.
    func readBody(_ input: Span<UInt8>, _ offset: inout Int) {
        guard var body = pendingBody else { return }
        let count = min(body.missingByteCount, input.count - offset)
        body.bytes += copy(input.extracting(offset..<(offset + count)))
        body.missingByteCount -= count
        offset += count
        pendingBody = body
        if body.missingByteCount == 0 { answerPlainRequest() }
    }

    private func answerPlainRequest() {
        guard let body = pendingBody, let owner = unsafe owner else { return }
        pendingBody = nil
        let request = SimulatedService.RESTRequest(body.head.method, body.head.target, body: body.bytes)
        guard let answer = owner.connection(self, didRequest: request) else {
            return refuse(SimulatedService.Refusal(status: 404, message: "HTTP 404 Not Found"))
        }
        respond(answer.status, answer.headers, answer.body)
    }
}
