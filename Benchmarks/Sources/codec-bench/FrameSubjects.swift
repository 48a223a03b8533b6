/// Frames: decoded from buffers like those of a read, encoded, masked.
enum FrameSubjects {
    static func all() -> [Subject] {
        let small = Corpus.notifications(count: 64, byteCount: 400)
        let large = Corpus.notifications(count: 8, byteCount: 16_384)
        return decoding("decode 400 B frames", small) + decoding("decode 16 KiB frames", large)
            + encoding("encode 400 B frames", small) + encoding("encode 16 KiB frames", large)
    }

    /// One buffer of 16 KiB or more holds as many whole frames as possible.
    private static func decoding(_ group: String, _ messages: [[UInt8]]) -> [Subject] {
        let plain = buffer(messages, .text, maskingKey: nil), binary = buffer(messages, .binary, maskingKey: nil)
        let masked = buffer(messages, .text, maskingKey: 0x9A3B_27C1)
        func subject(_ name: String, _ bytes: [UInt8], _ role: WebSocketRole) -> Subject {
            Subject(
                group: group, name: name, messageCount: messages.count, byteCount: bytes.count,
                run: {
                    var decoder = MessageDecoder(role: role)
                    return decode(bytes.span, with: &decoder)
                })
        }
        return [
            subject("MessageDecoder, text", plain, .client), subject("MessageDecoder, binary", binary, .client),
            subject("MessageDecoder, server, masked text", masked, .server), .memchr(group, on: messages),
        ]
    }

    private static func buffer(_ messages: [[UInt8]], _ opcode: Opcode, maskingKey: UInt32?) -> [UInt8] {
        messages.reduce(into: []) { buffer, message in
            FrameEncoder.append(opcode, payload: message, maskingKey: maskingKey, to: &buffer)
        }
    }

    @inline(never)
    private static func decode(_ bytes: Span<UInt8>, with decoder: inout MessageDecoder) -> Int {
        var offset = 0, sum = 0
        while let event = try? decoder.next(in: bytes, at: &offset) {
            switch event {
            case .needMore: return sum
            case .message(_, let range): sum &+= range.lowerBound
            default: sum &+= 1
            }
        }
        return 0
    }

    private static func encoding(_ group: String, _ messages: [[UInt8]]) -> [Subject] {
        var output: [UInt8] = []
        output.reserveCapacity(20_000)
        return [
            Subject(group, "FrameEncoder, masked", on: messages) { message in
                output.removeAll(keepingCapacity: true)
                FrameEncoder.append(.text, payload: message.span, maskingKey: 0x9A3B_27C1, to: &output)
                return Int(output[output.count - 1])
            },
            Subject(group, "FrameEncoder, not masked", on: messages) { message in
                output.removeAll(keepingCapacity: true)
                FrameEncoder.append(.text, payload: message.span, maskingKey: nil, to: &output)
                return Int(output[output.count - 1])
            },
            Subject(group, "naive masking", on: messages) { message in
                output.removeAll(keepingCapacity: true)
                output.append(contentsOf: message)
                maskNaively(&output, key: [0x9A, 0x3B, 0x27, 0xC1])
                return Int(output[output.count - 1])
            },
            .memchr(group, on: messages),
        ]
    }

    /// The algorithm of RFC 6455 §5.3 as written.
    @inline(never)
    private static func maskNaively(_ bytes: inout [UInt8], key: [UInt8]) {
        for index in bytes.indices { bytes[index] ^= key[index % 4] }
    }
}
