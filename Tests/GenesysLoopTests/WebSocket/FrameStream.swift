@testable import GenesysLoop

/// A stream of frames, legal or not, and the events that a decoder must report.
struct FrameStream {
    var role: WebSocketRole
    var limits: MessageLimits
    /// The agreed parameters of permessage-deflate.
    var deflate: DeflateParameters?
    var bytes: [UInt8] = []
    /// The expected events; nil if unknown, since bytes were damaged at random.
    var events: [OwnedEvent]? = []
    /// The byte at which a decoder that gets one byte at a time must throw, as far as it is known.
    var faultIndex: Int?
    /// Whether the end of the stream cuts a frame or a message.
    var isMidMessage = false

    /// Feeds the stream in pieces that end there; the last end is that of the stream.
    func replay(upTo ends: some Sequence<Int>) -> (events: [OwnedEvent], isMidMessage: Bool, faultEnd: Int?) {
        var harness = ReaderHarness(role: role, limits: limits, deflate: deflate)
        let span = bytes.span
        var start = 0
        var faultEnd: Int?
        for end in ends {
            harness.feed(span.extracting(start..<end))
            start = end
            if faultEnd == nil, case .violation = harness.events.last { faultEnd = end }
        }
        return (harness.events, harness.isMidMessage, faultEnd)
    }

    /// Feeds the stream byte by byte, and returns at which byte a violation was thrown.
    func replayByBytes() -> (events: [OwnedEvent], faultIndex: Int?) {
        let replay = replay(upTo: bytes.indices.map { $0 + 1 })
        return (replay.events, replay.faultEnd.map { $0 - 1 })
    }

    /// What is wrong with the decoder's results: nothing, however the stream is cut.
    func complaints(longestForEveryCut: Int, using random: inout SeededGenerator) -> [String] {
        var complaints: [String] = []
        let whole = replay(upTo: [bytes.count])
        if let events, whole.events != events {
            complaints.append("gives \(whole.events) and not \(events)")
        }
        if events != nil, whole.isMidMessage != isMidMessage {
            complaints.append("is mid-message: \(!isMidMessage) and not \(isMidMessage)")
        }
        let byBytes = replayByBytes()
        if byBytes.events != whole.events {
            complaints.append("byte by byte gives \(byBytes.events) and not \(whole.events)")
        }
        if let faultIndex, byBytes.faultIndex != faultIndex {
            complaints.append("fails at \(byBytes.faultIndex as Int?), not at \(faultIndex)")
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
