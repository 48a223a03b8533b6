import Testing

@testable import GenesysLoop

/// What is read of a refusal, in every legal form.
@Suite struct HTTPRefusalTests {
    /// 1994-11-06 08:49:37 UTC.
    private static let birth: Int64 = 784_111_777
    private static let forms = [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ]

    private func delay(_ headers: [String], now: Int64 = birth) throws -> Duration? {
        try HTTPRefusal.of(503, headers).delay(now: WallTime(seconds: now))
    }

    @Test(
        arguments: [
            ("7", 7), ("0", 0), (" 120 ", 120), ("99999999999999999999999", 1_000_000_000_000), ("-1", nil),
            ("1.5", nil), ("", nil), ("+3", nil), ("soon", nil),
        ] as [(String, Int?)])
    func `Retry-After is read in its form of seconds`(value: String, seconds: Int?) throws {
        #expect(try delay(["Retry-After: \(value)"]) == seconds.map { .seconds($0) })
    }

    @Test(arguments: forms, forms)
    func `a date in Retry-After counts from the Date of the response, in each of its forms`(
        wanted: String, date: String
    ) throws {
        let later = wanted.replacing("08:49:37", with: "08:49:43")
        // Our own clock is an hour slow, or four years fast.
        for now in [Self.birth - 3_600, Self.birth + 126_000_000] {
            #expect(try delay(["Date: \(date)", "Retry-After: \(later)"], now: now) == .seconds(6))
            #expect(try delay(["Date: \(later)", "Retry-After: \(wanted)"], now: now) == .zero)
        }
    }

    @Test(arguments: forms) func `without a Date it counts from our clock, and is bounded`(form: String) throws {
        #expect(try delay(["Retry-After: \(form)"], now: Self.birth - 6) == .seconds(6))
        #expect(try delay(["Retry-After: \(form)", "Date: yesterday"], now: Self.birth - 6) == .seconds(6))
        #expect(try delay(["Retry-After: \(form)"], now: Self.birth + 6) == .zero)
        #expect(try delay(["Retry-After: \(form)"], now: Self.birth - 7_200) == .seconds(3_600))
        #expect(try delay(["Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"], now: -Self.birth) == .seconds(3_600))
    }

    @Test func `of several the longest counts, and what is no legal form counts not at all`() throws {
        #expect(try delay(["Retry-After: 3", "Retry-After: soon", "retry-after: 5"]) == .seconds(5))
    }

    @Test(arguments: [
        ["Retry-After:", " 6"], ["Retry-After: 6", "\t"], ["Retry-After:", " ", "\t6 ", "  "],
        ["Retry-After: Sun, 06 Nov 1994", "  08:49:43 GMT"],
    ])
    func `a folded header means the same`(lines: [String]) throws {
        #expect(try delay(["Date:", " \(Self.forms[0])"] + lines, now: 0) == .seconds(6))
        let refusal = try HTTPRefusal.of(503, ["ININ-Correlation-Id:", " a-1", "Location: /x", " "])
        #expect(refusal.correlationID == "a-1" && refusal.location == "/x")
    }

    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Wed, 29 Feb 2040 23:59:60 GMT", 2_214_172_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400), ("Saturday, 01-Jan-00 00:00:00 GMT", 946_684_800),
            ("Tuesday, 01-Jan-80 00:00:00 GMT", 315_532_800), ("Friday, 01-Jan-60 00:00:00 GMT", 2_840_140_800),
        ] as [(String, Int64)])
    func `dates are those of the calendar, and two digits are a year nearby`(text: String, seconds: Int64) throws {
        #expect(try #require(HTTPDate(text)).seconds(now: WallTime(seconds: 1_780_000_000)) == seconds)
    }

    @Test(arguments: [
        "", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov 08:49:37 GMT", "1994-11-06T08:49:37Z", "Sun Nov 6 1994 x",
    ])
    func `anything else is no date`(text: String) {
        #expect(HTTPDate(text) == nil)
    }

    // MARK: - Challenges

    @Test(
        arguments: [
            (["Negotiate, NTLM"], ["Negotiate", "NTLM"]), (["NTLM TlRMTVNTUAACAAAA==", "ntlm"], ["NTLM"]),
            (
                ["Digest realm=\"a, Basic b\", nonce=\"x\\\", Bearer y\", qop = auth , Basic realm=\"z\""],
                ["Digest", "Basic"]
            ),
            (["Digest realm=\"a\",", "\tnonce=b,", " Basic realm=c"], ["Digest", "Basic"]), ([","], []),
            (["=x, y=z"], []),
            (["basic"], ["basic"]), ([String(repeating: "a", count: 33)], []),
            ([(1...20).map { "S\($0)" }.joined(separator: ",")], (1...8).map { "S\($0)" }),
        ] as [([String], [String])])
    func `the schemes of all challenges are found, in one line or several, folded or not`(
        values: [String], schemes: [String]
    ) throws {
        let headers = values.map { $0.first == " " || $0.first == "\t" ? $0 : "Proxy-Authenticate: \($0)" }
        #expect(try HTTPRefusal.of(407, headers).schemes == schemes)
    }

    @Test func `a 401 challenges for itself`() throws {
        #expect(
            try HTTPRefusal.of(401, ["WWW-Authenticate: Bearer", "Proxy-Authenticate: Basic"]).schemes == ["Bearer"])
    }

    // MARK: - The body

    /// The body that is read of an answer, cut at every place, and whether it is known to be complete.
    private func body(_ headers: [String], _ text: String, status: Int = 503) throws -> (text: String, isComplete: Bool)
    {
        let bytes = UpgradeResponseTests.head("HTTP/1.1 \(status) x", headers) + utf8(text)
        var found: [String: Bool] = [:]
        for cuts in [[]] + (1..<bytes.count).map({ [$0] }) + [Array(1..<bytes.count)] {
            var parser = UpgradeResponseParser(expectedAccept: "")
            var failure: UpgradeFailure?
            var start = 0
            for cut in cuts + [bytes.count] where failure == nil {
                let piece = Array(bytes[start..<cut])
                start = cut
                do throws(UpgradeFailure) { _ = try parser.receive(piece.span) } catch { failure = error }
            }
            let isComplete = failure != nil
            guard case .refused(let refusal) = failure ?? parser.endOfInput() else { continue }
            found[String(decoding: refusal.body, as: UTF8.self)] = isComplete
        }
        #expect(found.count == 1, "\(found)")
        let first = try #require(found.first)
        return (first.key, first.value)
    }

    @Test(
        arguments: [
            (["Content-Length: 2"], "hi!", "hi", true),
            (["Content-Length: 2, 2", "content-length:2"], "hi", "hi", true),
            (["Content-Length: 3"], "hi", "hi", false), (["Content-Length: 0"], "hi", "", true),
            (["Content-Length: 2, 3"], "hi", "", true), (["Content-Length: x"], "hi", "", true),
            ([], "hi", "hi", false),
            (
                ["Transfer-Encoding: Chunked", "Content-Length: 9"], "1\r\nh\r\n1;a=\"b\"\r\ni\r\n0\r\nX: y\r\n\r\n",
                "hi", true
            ),
            (["Transfer-Encoding: chunked"], "000A \r\n0123456789\r\n", "0123456789", false),
            (["Transfer-Encoding: chunked"], "1\nh\n0\n\n", "h", true),
            (["Transfer-Encoding: chunked"], "hi", "", false),
            (["Transfer-Encoding: chunked"], "x\r\nhi", "", true),
            (["Transfer-Encoding: chunked"], "1\r\nhi\r\n", "h", true),
            (["Transfer-Encoding: gzip, chunked"], "1\r\nh\r\n", "", true),
            (["Content-Encoding: gzip"], "hi", "", true),
            (["Content-Encoding: identity"], "hi", "hi", false),
        ] as [([String], String, String, Bool)])
    func `a body is read in every legal framing, wherever it is cut`(
        headers: [String], text: String, expected: String, isComplete: Bool
    ) throws {
        let read = try body(headers, text)
        #expect(read.text == expected)
        #expect(read.isComplete == isComplete)
    }

    @Test(arguments: [204, 304, 301, 302, 307, 308]) func `some answers have no body to wait for`(status: Int) throws {
        #expect(try body(status < 300 || status == 304 ? [] : ["Location: /x"], "", status: status).isComplete)
    }

    @Test func `a body of any length costs 16 KiB at the most`() throws {
        for headers in [["Content-Length: 99999999999999999999"], [], ["Transfer-Encoding: chunked"]] {
            let start = headers == ["Transfer-Encoding: chunked"] ? "FFFFFFFFFFFFFFFFFF\r\n" : ""
            let endless = start + String(repeating: "a", count: 20_000)
            var parser = UpgradeResponseParser(expectedAccept: "")
            let bytes = UpgradeResponseTests.head("HTTP/1.1 500 x", headers) + utf8(endless)
            let failure = #expect(throws: UpgradeFailure.self) { try parser.receive(bytes.span) }
            guard case .refused(let refusal) = failure else { continue }
            #expect(refusal.body.count + start.utf8.count == 16_384)
        }
    }
}
