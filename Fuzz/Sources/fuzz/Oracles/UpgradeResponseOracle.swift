import GenesysLoop

/// The server's half of the opening handshake, as read by a client.
///
/// Input: a byte of settings, then the response.
enum UpgradeResponseOracle {
    /// RFC 6455 §1.3: the answer to the key of its example.
    static let acceptValue = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    /// What the request offered.
    struct Offer {
        var subprotocols: [String] = []
        var deflate: DeflateOffer?

        init() {}

        init(_ flags: UInt8) {
            if flags & 1 == 1 { subprotocols = ["chat", "v2.chat"] }
            guard flags & 2 == 2 else { return }
            var wanted = DeflateParameters()
            wanted.serverNoContextTakeover = flags & 4 == 4
            wanted.clientNoContextTakeover = flags & 8 == 8
            wanted.serverMaxWindowBits = flags & 16 == 16 ? 12 : 15
            wanted.clientMaxWindowBits = flags & 32 == 32 ? 10 : 15
            deflate = DeflateOffer(wanted)
        }
    }

    enum Outcome: Equatable {
        case accepted(byteCount: Int, subprotocol: String?, deflate: DeflateParameters?)
        case refused(UpgradeFailure)
        /// Bytes are missing; the failure if none follow.
        case pending(UpgradeFailure)
    }

    static func complaint(about input: [UInt8]) -> String? {
        let offered = Offer(input.first ?? 0)
        let stream = Array(input.dropFirst())
        var first: Outcome?
        for pieces in Pieces.all(of: stream) {
            switch outcome(of: stream, pieces, offered: offered) {
            case .failure(let complaint): return "\(pieces.name): \(complaint.text)"
            case .success(let outcome):
                if let first, outcome != first { return "\(pieces.name): \(outcome) instead of \(first)" }
                first = outcome
            }
        }
        return first.flatMap { complaint(about: $0, of: stream, offered: offered) }
    }

    struct Complaint: Error { let text: String }

    static func outcome(
        of stream: [UInt8], _ pieces: Pieces, offered: Offer
    ) -> Result<Outcome, Complaint> {
        var parser = UpgradeResponseParser(
            expectedAccept: acceptValue, offeredSubprotocols: offered.subprotocols, deflateOffer: offered.deflate)
        do throws(UpgradeFailure) {
            for range in pieces.ranges {
                guard case .accepted(let consumed) = try parser.receive(stream.span.extracting(range)) else { continue }
                guard (0...range.count).contains(consumed) else { return .failure(Complaint(text: "took too much")) }
                guard try parser.receive(stream.span) == .accepted(consumed: 0) else {
                    return .failure(Complaint(text: "reads on behind the head"))
                }
                return .success(
                    .accepted(
                        byteCount: range.lowerBound + consumed, subprotocol: parser.subprotocol,
                        deflate: parser.deflate))
            }
        } catch {
            do throws(UpgradeFailure) {
                _ = try parser.receive(stream.span)
                return .failure(Complaint(text: "reads on after a failure"))
            } catch let again {
                guard again == error else { return .failure(Complaint(text: "another failure follows")) }
            }
            return .success(parser.endOfInput() == error ? .refused(error) : .pending(error))
        }
        return .success(.pending(parser.endOfInput()))
    }

    private static func complaint(about outcome: Outcome, of stream: [UInt8], offered: Offer) -> String? {
        switch outcome {
        case .accepted(let byteCount, let subprotocol, let deflate):
            let head = Array(stream[..<byteCount])
            guard head.suffix(4).elementsEqual("\r\n\r\n".utf8) else { return "accepted without an empty line" }
            if let subprotocol, !offered.subprotocols.contains(subprotocol) {
                return "took the subprotocol \(subprotocol)"
            }
            if let deflate, let complaint = complaint(about: deflate, offered) { return complaint }
            return isHandshake(String(decoding: head, as: UTF8.self), hasDeflate: deflate != nil)
                ? nil : "accepted \(String(excerpt: head))"
        case .refused(let failure), .pending(let failure):
            guard failure.description.hasSuffix(".") || failure.description.hasSuffix(")") else {
                return "no sentence: \(failure.description)"
            }
            guard case .refused(let refusal) = failure else { return nil }
            if let delay = refusal.delay(now: WallTime(seconds: 1_800_000_000)), delay < .zero {
                return "a delay of \(delay)"
            }
            guard refusal.body.count <= 16_384 else { return "a body of \(refusal.body.count) bytes" }
            return (200...999).contains(refusal.status) ? nil : "a refusal with status \(refusal.status)"
        }
    }

    /// RFC 7692 §7.1: the agreed parameters ask of neither side more than it offered.
    private static func complaint(about deflate: DeflateParameters, _ offered: Offer) -> String? {
        guard let wanted = offered.deflate?.wanted else { return "an extension that was not offered" }
        let isKept =
            (deflate.serverNoContextTakeover || !wanted.serverNoContextTakeover)
            && (deflate.clientNoContextTakeover || !wanted.clientNoContextTakeover)
            && (8...wanted.serverMaxWindowBits).contains(deflate.serverMaxWindowBits)
            && (8...wanted.clientMaxWindowBits).contains(deflate.clientMaxWindowBits)
        return isKept ? nil : "agreed on \(deflate)"
    }

    /// RFC 6455 §4.1, over the lines of the last head.
    private static func isHandshake(_ text: String, hasDeflate: Bool) -> Bool {
        let lines = text.unicodeScalars.split(separator: "\n").map { line in
            String(line).unicodeScalars.filter { $0 != "\r" }.map(String.init).joined()
        }
        guard let start = lines.lastIndex(where: { $0.hasPrefix("HTTP/1.1 101") }) else { return false }
        var values: [String: [String]] = [:]
        for line in lines[start...].dropFirst() where !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return false }
            let value = parts[1].drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
            values[parts[0].lowercased(), default: []].append(String(value.reversed()))
        }
        // RFC 9110 §5.6.1.2: empty elements of a list are ignored.
        let protocols = values["upgrade", default: []].flatMap { $0.split(separator: ",") }.compactMap { element in
            let word = element.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
            return word.isEmpty ? nil : String(word.reversed()).lowercased()
        }
        return protocols == ["websocket"]
            && values["sec-websocket-accept"] == [acceptValue]
            && values["connection"]?.contains { $0.lowercased().contains("upgrade") } == true
            && (values["sec-websocket-extensions"] != nil) == hasDeflate
    }
}
