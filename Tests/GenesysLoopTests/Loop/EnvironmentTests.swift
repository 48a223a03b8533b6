import Testing

@testable import GenesysLoop

@Suite struct EnvironmentTests {
    @Test(arguments: [" a b\n", "\r\n\ta b", "a b", "\u{A0}a b\u{2028}"])
    func `white space at the ends of a variable does not count`(text: String) {
        #expect(Environment.value(text) == "a b")
    }

    @Test(arguments: [nil, "", " ", "\n\t\r\n"] as [String?])
    func `a variable with nothing but white space is not set`(text: String?) {
        #expect(Environment.value(text) == nil)
    }

    @Test func `a secret keeps its blanks and loses the line ends behind it`() {
        #expect(Environment.secret(Array(" a \r\n\n".utf8)) == Array(" a ".utf8))
        #expect(Environment.secret(Array("a".utf8)) == Array("a".utf8))
        #expect(Environment.secret([0xFF, 0x0A]) == [0xFF])
        for bytes in [nil, [], [0x0A]] as [[UInt8]?] { #expect(Environment.secret(bytes) == nil) }
    }

    @Test func `the folders of a list stand between colons or line ends`() {
        #expect(SystemTrustLocations.folders("/a b: /c\n/d\r\n::\n ") == ["/a b", "/c", "/d"])
    }
}
