import Testing

@testable import GenesysLoop

@Suite struct FrameEncoderTests {
    @Test func `the examples of the standard are written byte for byte`() {
        var bytes: [UInt8] = []
        FrameEncoder.append(.text, payload: utf8("Hello"), maskingKey: nil, to: &bytes)
        #expect(bytes == [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
        bytes = []
        FrameEncoder.append(.text, payload: utf8("Hello"), maskingKey: 0x37fa_213d, to: &bytes)
        #expect(bytes == [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        bytes = []
        FrameEncoder.append(.text, isFinal: false, payload: utf8("Hel"), maskingKey: nil, to: &bytes)
        FrameEncoder.append(.continuation, payload: utf8("lo"), maskingKey: nil, to: &bytes)
        #expect(bytes == [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f])
    }

    @Test(
        arguments: [
            (0, [0x82, 0x00]), (1, [0x82, 0x01]), (125, [0x82, 0x7D]), (126, [0x82, 0x7E, 0x00, 0x7E]),
            (127, [0x82, 0x7E, 0x00, 0x7F]), (65_535, [0x82, 0x7E, 0xFF, 0xFF]),
            (65_536, [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])])
    func `a length takes as few bytes as it can`(count: Int, header: [UInt8]) {
        let payload = [UInt8](repeating: 5, count: count)
        var bytes: [UInt8] = []
        FrameEncoder.append(.binary, payload: payload, maskingKey: nil, to: &bytes)
        #expect(bytes == header + payload)
    }

    @Test func `masking starts anew with each frame, after whatever stood before`() {
        for prefix in 0..<9 {
            for count in [0, 1, 3, 4, 7, 8, 9, 17] {
                let payload = (0..<count).map { UInt8($0) }
                var bytes = [UInt8](repeating: 0xAA, count: prefix)
                FrameEncoder.append(.binary, payload: payload, maskingKey: 0x0A0B_0C0D, to: &bytes)
                let key: [UInt8] = [0x0A, 0x0B, 0x0C, 0x0D]
                let masked = payload.enumerated().map { $1 ^ key[$0 % 4] }
                let expected = [UInt8](repeating: 0xAA, count: prefix) + [0x82, 0x80 | UInt8(count)] + key + masked
                #expect(bytes == expected)
            }
        }
    }

    @Test func `masking in pieces equals masking at once`() {
        let payload = (0..<50).map { UInt8($0) }
        var whole = payload
        Bytes.mask(&whole, from: 0, key: 0x1122_3344, phase: 0)
        for cut in 0...50 {
            var head = Array(payload[..<cut])
            var tail = Array(payload[cut...])
            Bytes.mask(&head, from: 0, key: 0x1122_3344, phase: 0)
            Bytes.mask(&tail, from: 0, key: 0x1122_3344, phase: cut)
            #expect(head + tail == whole)
        }
    }

    @Test func `the reason of a close frame is cut between characters`() {
        #expect(FrameEncoder.closePayload(nil, reason: "lost") == [])
        #expect(FrameEncoder.closePayload(.normal) == [0x03, 0xE8])
        #expect(FrameEncoder.closePayload(.goingAway, reason: "bye") == [0x03, 0xE9] + utf8("bye"))
        let long = FrameEncoder.closePayload(.normal, reason: String(repeating: "語", count: 60))
        #expect(long.count == 2 + 41 * 3)
        var bytes: [UInt8] = []
        FrameEncoder.appendClose(.normal, reason: String(repeating: "é", count: 200), maskingKey: nil, to: &bytes)
        #expect(DecoderHarness.events(bytes) == [.close(.normal, String(repeating: "é", count: 61))])
    }

    @Test func `codes that may be sent and codes that may be received are told apart`() {
        let onWire = (0...5_001).filter { CloseCode(rawValue: UInt16($0)).isValidOnWire }
        #expect(onWire == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
        let sendable = (0...5_001).filter { CloseCode(rawValue: UInt16($0)).isSendable }
        #expect(sendable == [1000] + Array(3000...4999))
        #expect(CloseCode.goingAway.description == "1001 (going away)")
        #expect(CloseCode(rawValue: 4_001).description == "4001")
    }
}
