import Testing

@testable import GenesysPlatform

struct SecretBytesTests {
    private let secret = "planted-secret-1742"

    @Test func `no printed form of secret bytes holds them`() {
        let bytes = SecretBytes(secret)
        var dumped = ""
        dump([bytes], to: &dumped)
        for text in ["\(bytes)", String(reflecting: bytes), String(describing: [bytes]), dumped] {
            #expect(!text.contains("planted"), "\(text)")
        }
        #expect(bytes.text == secret)
        #expect("\(bytes)" == "19 secret bytes")
    }

    @Test func `secret bytes are equal if their bytes are`() {
        #expect(SecretBytes(secret) == SecretBytes(copying: Array(secret.utf8)))
        #expect(SecretBytes(secret) != SecretBytes(""))
        #expect(Set([SecretBytes("a"), SecretBytes("a"), SecretBytes("b")]).count == 2)
    }

    @Test func `a buffer keeps what is appended, in order, and is empty once the bytes are taken`() {
        var buffer = SecretBuffer()
        var expected: [UInt8] = []
        for count in [1, 0, 700, 3, 70_000] {
            let part = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ count) }
            // The array lives during the call.
            unsafe part.withUnsafeBytes { unsafe buffer.append($0) }
            expected += part
        }
        #expect(buffer.count == expected.count)
        #expect(buffer.take() == SecretBytes(copying: expected))
        #expect(buffer.count == 0)
        #expect(buffer.take() == SecretBytes(""))
    }
}
