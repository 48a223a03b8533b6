import GenesysLoop
import Testing
import ToolSupport

@testable import genesys_loop

@Suite struct SecretLineTests {
    private static let uri = "wss://host/channels/x"

    @Test(arguments: ["URI", "URI\n", "URI\r\n", "\u{FEFF}URI", "\r\n\n  URI\t \r\n\n", "\u{FEFF} \n URI "])
    func `white space, line ends and a byte order mark around the line do not count`(text: String) throws {
        let bytes = Array(text.replacing("URI", with: Self.uri).utf8)
        #expect(try SecretLine.parse(bytes) == Array(Self.uri.utf8))
    }

    @Test(arguments: ["", "\n", "\u{FEFF}\r\n", " \t "])
    func `a blank file is empty`(text: String) {
        #expect(throws: SecretLine.Unusable.empty) { try SecretLine.parse(Array(text.utf8)) }
        #expect(SecretLine.isBlank(Array(text.utf8)))
    }

    @Test(arguments: ["a\nb", "a\r\n\r\nb\r\n", "a\rb"])
    func `a second line is refused`(text: String) {
        #expect(throws: SecretLine.Unusable.severalLines) { try SecretLine.parse(Array(text.utf8)) }
    }

    @Test func `the end of the first line that is not blank completes it`() {
        for text in ["", "\r\n\n", "\u{FEFF}\n", "a", "\n a "] { #expect(!SecretLine.isComplete(Array(text.utf8))) }
        for text in ["a\n", "a\r", "\u{FEFF}\n a b\n"] { #expect(SecretLine.isComplete(Array(text.utf8))) }
    }

    @Test func `no printed form shows a secret`() throws {
        let secret = try Secret(Array("hidden".utf8), from: "The file")
        for text in ["\(secret)", String(reflecting: secret)] { #expect(text == "The file") }
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("104"), "\(dumped)")
        let error = #expect(throws: (any Error).self) { try Secret(Array("hidden\nb".utf8), from: "The file") }
        #expect("\(error.map { "\($0)" } ?? "")" == "The file holds more than one line; it takes one line.")
    }

    @Test func `an argument in an error is redacted where it stands, with or without its option`() {
        let arguments = ["--uri-file=wss://h/secret", "--proxy=http://u:p@h", "x"]
        let message = "“wss://h/secret”: --uri-file=wss://h/secret, http://u:p@h"
        #expect(Redaction.redact(arguments, in: message) == "“wss://…”: --uri-file=wss://…, http://…")
    }
}
