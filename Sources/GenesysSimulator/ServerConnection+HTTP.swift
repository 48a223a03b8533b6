internal import GenesysLoop
internal import ServerKit

/// Plain HTTP on the port of the sockets: one request, one answer, then the end.
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
        guard let answer = owner.connection(self, didRequest: request) else {
            return refuse(SimulatedService.Refusal(status: 404, message: "HTTP 404 Not Found"))
        }
        respond(answer.status, answer.headers, answer.body)
    }
}
