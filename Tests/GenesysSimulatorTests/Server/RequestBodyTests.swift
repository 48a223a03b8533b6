import GenesysLoop
import Testing

@testable import GenesysSimulator

/// How the body of a request is read, without I/O.
@Suite struct RequestBodyTests {
    private static let limit = RequestBody.maxByteCount

    /// The decoded body of a text that is cut at `cut`, and the number of bytes taken.
    private func decode(_ text: [UInt8], cut: Int, limit: Int = 1_024) throws -> (body: [UInt8]?, taken: Int) {
        var body = ChunkedBody(maxByteCount: limit)
        var taken = 0
        for piece in [Array(text[..<cut]), Array(text[cut...])] {
            var offset = 0
            try body.receive(piece.span, at: &offset)
            taken += offset
        }
        return (body.isComplete ? body.bytes : nil, taken)
    }

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("3\r\nabc\r\n0\r\n\r\n", "abc"), ("0003;x\r\nabc\r\n000\r\n\r\n", "abc"),
        ("1\t; a = \"b;c\"\r\n\n\r\n0;z\r\nA: b\r\nC: d\r\n\r\n", "\n"),
        ("a\r\n0123456789\r\n1 \r\n!\r\n0\r\n\r\n", "0123456789!"),
    ])
    func `chunks are put together, wherever the input is cut, and what follows is left`(text: String, body: String)
        throws
    {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            let (found, taken) = try decode(bytes + Array("GET".utf8), cut: cut)
            #expect(found == Array(body.utf8) && taken == bytes.count, "cut at \(cut)")
        }
    }

    @Test(arguments: [
        "\r\n", "x\r\n", "-1\r\n", "0x1\r\n", "1 2\r\n", ";a\r\n", "1\n", "1\r\nab\r\n", "1\r\na\n", "1\r\naxx", "1\ra",
        "0\r\nA: b\n", "\(String(repeating: "0", count: 17_000))",
        "0\r\n\(String(repeating: "A: b\r\n", count: 3_000))",
    ])
    func `a malformed chunk is refused`(text: String) {
        let bytes = Array(text.utf8)
        for cut in [0, 1, 2, bytes.count] {
            let error = #expect(throws: SimulatedService.Refusal.self) { try decode(bytes, cut: cut) }
            #expect(error?.status == 400)
        }
    }

    @Test func `a body beyond the limit is refused as soon as it is there`() throws {
        #expect(try decode(Array("5\r\nabcde\r\n0\r\n\r\n".utf8), cut: 0, limit: 5).body?.count == 5)
        for text in ["6\r\nabcdef", "3\r\nabc\r\n3\r\ndef", "ffffffffffffffffffffffff\r\nabcdefg"] {
            let error = #expect(throws: SimulatedService.Refusal.self) {
                try decode(Array(text.utf8), cut: 0, limit: 5)
            }
            #expect(error == .bodyTooLarge)
        }
    }
}
