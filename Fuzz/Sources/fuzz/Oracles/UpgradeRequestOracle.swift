import GenesysLoop
import ServerKit

/// The client's half of the opening handshake, as read by a server, and the server's answer.
///
/// Input: a byte that selects the status of a refusal, then the requests.
enum UpgradeRequestOracle {
    struct Outcome: Equatable {
        /// The heads, and where each ended in the stream.
        var heads: [UpgradeRequestHead] = []
        var ends: [Int] = []
        var fault: UpgradeRequestError?
    }

    private static let statuses = [
        200, 301, 302, 400, 401, 403, 404, 405, 426, 429, 431, 500, 502, 503, 504, 299, 999,
    ]

    static func complaint(about input: [UInt8]) -> String? {
        let status = statuses[Int(input.first ?? 0) % statuses.count]
        let stream = Array(input.dropFirst())
        var first: Outcome?
        for pieces in Pieces.all(of: stream) {
            guard let outcome = outcome(of: stream, pieces) else { return "\(pieces.name): its end does not last" }
            if let first, outcome != first { return "\(pieces.name): \(outcome) instead of \(first)" }
            first = outcome
        }
        guard let first else { return nil }
        if let fault = first.fault {
            guard [400, 431].contains(fault.status), fault.description.hasSuffix(".") else { return "\(fault)" }
        }
        for (head, end) in zip(first.heads, first.ends) {
            guard stream[..<end].suffix(4).elementsEqual("\r\n\r\n".utf8) else { return "a head without an end" }
            if let complaint = complaint(about: head, status: status) { return complaint }
        }
        return nil
    }

    private static func outcome(of stream: [UInt8], _ pieces: Pieces) -> Outcome? {
        var parser = UpgradeRequestParser()
        var outcome = Outcome()
        do throws(UpgradeRequestError) {
            for range in pieces.ranges {
                var start = range.lowerBound
                while case .complete(let head, let consumed) = try parser.receive(
                    stream.span.extracting(start..<range.upperBound))
                {
                    start += consumed
                    outcome.heads.append(head)
                    outcome.ends.append(start)
                }
            }
        } catch {
            outcome.fault = error
            let again = Result { () throws(UpgradeRequestError) in try parser.receive(stream.span) }
            guard again == .failure(error) else { return nil }
        }
        return outcome
    }

    /// A client must read a server's answer as it was meant.
    private static func complaint(about head: UpgradeRequestHead, status: Int) -> String? {
        do throws(UpgradeRequestError) {
            try head.checkUpgrade()
        } catch {
            guard [400, 405, 426].contains(error.status), error.description.hasSuffix(".") else { return "\(error)" }
            return refusalComplaint(error.status) ?? refusalComplaint(status)
        }
        guard head.method == "GET", head.key?.utf8.count == 24, head.host != nil else { return "took \(head)" }
        return acceptComplaint(head, status)
    }

    private static func acceptComplaint(_ head: UpgradeRequestHead, _ choice: Int) -> String? {
        // The list may hold elements that are not tokens; such an element is not chosen.
        let chosen = head.subprotocols.first
        var wanted = DeflateParameters()
        wanted.serverNoContextTakeover = choice.isMultiple(of: 2)
        wanted.serverMaxWindowBits = choice.isMultiple(of: 3) ? 11 : 15
        wanted.clientMaxWindowBits = choice.isMultiple(of: 5) ? 9 : 15
        let negotiation = Result { () throws(UpgradeRequestError) in
            try DeflateAnswer.accept(head.fields.values(of: "sec-websocket-extensions"), wanted: wanted)
        }
        guard case .success(let answer) = negotiation else { return nil }
        var headers = [("X-Target", head.target)]
        if let answer { headers.append(("Sec-WebSocket-Extensions", answer.headerValue)) }
        let response = Result { () throws(InvalidHeader) in
            try UpgradeResponse.accept(
                acceptValue: UpgradeResponseOracle.acceptValue, subprotocol: chosen, extraHeaders: headers)
        }
        guard case .success(let bytes) = response else { return "the answer to \(head) cannot be written" }
        var offered = UpgradeResponseOracle.Offer()
        offered.subprotocols = head.subprotocols
        // The answer is checked against our own offer; the request's offer may differ from the accepted one.
        offered.deflate = answer.map { _ in DeflateOffer(DeflateParameters()) }
        // The target may be as long as a whole head.
        guard bytes.count <= 16_384 else { return nil }
        for pieces in Pieces.all(of: bytes) {
            let outcome = UpgradeResponseOracle.outcome(of: bytes, pieces, offered: offered)
            guard case .success(.accepted(bytes.count, chosen, answer?.parameters)) = outcome else {
                return "our own answer is read as \(outcome)"
            }
        }
        return nil
    }

    private static func refusalComplaint(_ status: Int) -> String? {
        let response = Result { () throws(InvalidHeader) in
            try UpgradeResponse.refuse(
                status: status, headers: [("Retry-After", "7"), ("Location", "/here")], body: Array("no".utf8))
        }
        guard case .success(let bytes) = response else { return "a refusal cannot be written" }
        for pieces in Pieces.all(of: bytes) {
            let outcome = UpgradeResponseOracle.outcome(of: bytes, pieces, offered: .init())
            guard case .success(.refused(.refused(let refusal))) = outcome, refusal.status == status,
                refusal.location == "/here", refusal.delay(now: WallTime(seconds: 0)) == .seconds(7)
            else { return "our own refusal is read as \(outcome)" }
        }
        return nil
    }
}
