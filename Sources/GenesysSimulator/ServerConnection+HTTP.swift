internal import GenesysLoop
internal import ServerKit

/// Plain HTTP on the port of the sockets: one request, one answer, then the end, or the next request.
extension ServerConnection {
    /// Whether a request is for the REST side and not for a WebSocket.
    ///
    /// Other protocols in its Upgrade header do not matter: RFC 9110 §7.8 lets a server continue with HTTP.
    static func isPlain(_ head: UpgradeRequestHead) -> Bool {
        !head.fields.list("upgrade", contains: "websocket")
    }

    /// RFC 9110 §10.1.1 defines one expectation, and HTTP/1.0 has none.
    static func canMeetExpectation(of head: UpgradeRequestHead) -> Bool {
        head.isHTTP10 || head.fields.elements(of: "expect").allSatisfy { $0.lowercased() == "100-continue" }
    }

    /// Waits for the body, or answers at once if there is none.
    func plainRequestReceived(_ head: UpgradeRequestHead) {
        do throws(SimulatedService.Refusal) {
            let body = try RequestBody(of: head)
            pendingBody = body
            if body.isComplete { return answerPlainRequest() }
            guard body.isAwaited else { return }
            outbox += Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            wantsFlush()
        } catch {
            refuse(error)
        }
    }

    /// Consumes the body's part of the input, and leaves what follows.
    func readBody(_ input: Span<UInt8>, _ offset: inout Int) {
        guard var body = pendingBody.take() else { return }
        do throws(SimulatedService.Refusal) {
            try body.receive(input, at: &offset)
        } catch {
            return refuse(error)
        }
        pendingBody = body
        if body.isComplete { answerPlainRequest() }
    }

    private func answerPlainRequest() {
        guard let body = pendingBody, let owner = unsafe owner else { return }
        pendingBody = nil
        var request = SimulatedService.RESTRequest(body.head.method, body.head.target, body: body.bytes)
        request.host = body.head.host
        request.authorization = body.head.fields.values(of: "authorization").first
        request.contentType = body.head.fields.values(of: "content-type").first
        // RFC 9112 §9.3.
        isPersistent = !body.head.isHTTP10 && !body.head.fields.list("connection", contains: "close")
        guard let answer = owner.connection(self, didRequest: request) else {
            return refuse(SimulatedService.Refusal(status: 404, message: "HTTP 404 Not Found"))
        }
        if answer.delay > .zero { hold(answer) } else { deliver(answer) }
    }

    /// Sends as much of an answer as it says.
    func deliver(_ answer: SimulatedService.RESTAnswer) {
        guard let wire = unsafe owner?.wire else { return }
        switch answer.delivery {
        case .whole, .wholeThenClose, .half:
            let isKept = isPersistent && wire.keepsConnections && !wire.isHTTP10
            if wire.sendsContinue { outbox += Array("HTTP/1.1 100 Continue\r\n\r\n".utf8) }
            appendHead { () throws(InvalidHeader) in
                try answer.bytes(wire, saysClose: !isKept, omitsBody: isHead)
            }
            if isKept && answer.delivery == .whole { expectRequest() } else { finishWriting() }
        case .close:
            finishWriting()
        case .reset:
            finish(byReset: true)
        case .never:
            ignoreRequest()
        }
    }
}
