@testable import GenesysLoop

/// A stream of frames, legal or not, and what a decoder has to make of it.
struct FrameStream {
    var role: WebSocketRole
    var limits: MessageLimits
    var bytes: [UInt8] = []
    /// What it has to give; nil where nobody knows, since bytes were damaged at random.
    var events: [OwnedEvent]? = []
    /// The byte at which a decoder that gets one at a time has to throw.
    var faultIndex: Int?
    /// Whether the end of the stream cuts a frame or a message.
    var isMidMessage = false

    /// Feeds the stream in pieces; the last end is that of the stream.
    func replay(upTo ends: some Sequence<Int>) -> DecoderHarness {
        var harness = DecoderHarness(role: role, limits: limits)
        let span = bytes.span
        var start = 0
        for end in ends {
            harness.feed(span.extracting(start..<end))
            start = end
        }
        return harness
    }

    /// Feeds the stream byte by byte, and tells at which one a violation was thrown.
    func replayByBytes() -> (harness: DecoderHarness, faultIndex: Int?) {
        var harness = DecoderHarness(role: role, limits: limits)
        let span = bytes.span
        var faultIndex: Int?
        for index in 0..<bytes.count {
            harness.feed(span.extracting(index..<(index + 1)))
            if faultIndex == nil, case .violation = harness.events.last { faultIndex = index }
        }
        return (harness, faultIndex)
    }

    /// What is wrong with how a decoder takes the stream: nothing, however it is cut.
    func complaints(longestForEveryCut: Int, using random: inout SeededGenerator) -> [String] {
        var complaints: [String] = []
        let whole = replay(upTo: [bytes.count])
        if let events, whole.events != events {
            complaints.append("gives \(whole.events) and not \(events)")
        }
        if events != nil, whole.decoder.isMidMessage != isMidMessage {
            complaints.append("is mid-message: \(!isMidMessage) and not \(isMidMessage)")
        }
        let byBytes = replayByBytes()
        if byBytes.harness.events != whole.events {
            complaints.append("byte by byte gives \(byBytes.harness.events) and not \(whole.events)")
        }
        if events != nil, byBytes.faultIndex != faultIndex {
            complaints.append("fails at \(byBytes.faultIndex as Int?), not at \(faultIndex as Int?)")
        }
        let cuts = randomCuts(using: &random)
        if replay(upTo: cuts).events != whole.events { complaints.append("cut at \(cuts) gives something else") }
        if bytes.count <= longestForEveryCut {
            for cut in 0...bytes.count where replay(upTo: [cut, bytes.count]).events != whole.events {
                complaints.append("cut at \(cut) gives something else")
            }
        }
        return complaints
    }

    private func randomCuts(using random: inout SeededGenerator) -> [Int] {
        let largest = [2, 3, 7, 20, 200, 40_000].randomElement(using: &random) ?? 1
        var cuts: [Int] = []
        var end = 0
        while end < bytes.count {
            end = min(bytes.count, end + Int.random(in: 0...largest, using: &random))
            cuts.append(end)
        }
        return cuts
    }
}
