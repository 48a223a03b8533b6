@testable import GenesysLoop

/// Everything that the service was given to send, in order, by topic.
struct Publications {
    /// One notification; a genuine repeat has the number of another one.
    struct Copy {
        let number: Int
        let time: VirtualTime
        /// One bit for each host that had a confirmed subscription.
        let promisedTo: UInt32
    }

    struct Publication {
        let number: Int
        let topicIndex: Int
        let message: [UInt8]
        var topic: Topic { TopicPlan.singles[topicIndex] }
    }

    private(set) var due: VirtualTime = 0
    private(set) var copies: [[Copy]] = Array(repeating: [], count: TopicPlan.singles.count)
    /// By number.
    private var topicIndices: [UInt8] = []
    private var sequel: Publication?
    private let hasRepeats: Bool

    private static let prefixes: [[UInt8]] = TopicPlan.singles.map {
        Array(#"{"topicName":"\#($0)","version":"2","eventBody":{"n":"#.utf8)
    }
    private static let digitCount = 8
    /// From the character that marks repeats to the end: `n":1`, seven more digits, and the braces.
    private static let tailCount = 3 + digitCount + 2

    init(hasRepeats: Bool = true) {
        self.hasRepeats = hasRepeats
    }

    /// Makes the next notification, and sometimes repeats it a moment later.
    mutating func next(_ interval: VirtualTime, _ random: inout SplitMix64) -> Publication {
        if let sequel {
            self.sequel = nil
            due += VirtualTime(random.below(Int(interval) * 2))
            return sequel
        }
        let topicIndex = random.below(TopicPlan.singles.count)
        let number = topicIndices.count
        topicIndices.append(UInt8(topicIndex))
        let isRepeated = hasRepeats && random.oneIn(30)
        let publication = Publication(
            number: number, topicIndex: topicIndex,
            message: Publications.message(number, topicIndex, isRepeated: isRepeated))
        if isRepeated {
            sequel = publication
            due += .milliseconds(random.pick([0, 5, 100]))
        } else {
            due += VirtualTime(random.below(Int(interval) * 2))
        }
        return publication
    }

    mutating func record(_ publication: Publication, at time: VirtualTime, promisedTo: UInt32) {
        copies[publication.topicIndex].append(Copy(number: publication.number, time: time, promisedTo: promisedTo))
    }

    func topicIndex(of number: Int) -> Int { Int(topicIndices[number]) }

    private static func message(_ number: Int, _ topicIndex: Int, isRepeated: Bool) -> [UInt8] {
        var message = prefixes[topicIndex]
        message.reserveCapacity(message.count + 16)
        if isRepeated { message[message.count - 3] = UInt8(ascii: "r") }
        // A leading 1 keeps the length without a leading zero.
        var rest = 10_000_000 + number
        message.append(contentsOf: repeatElement(0, count: digitCount))
        for index in 1...digitCount {
            message[message.count - index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        message.append(UInt8(ascii: "}"))
        message.append(UInt8(ascii: "}"))
        return message
    }

    /// The number in a message, and whether it was sent twice; nil for messages of other clients.
    static func number(in message: [UInt8]) -> (number: Int, isRepeated: Bool)? {
        guard message.count > tailCount else { return nil }
        let start = message.count - tailCount
        let letter = message[start]
        guard letter == UInt8(ascii: "n") || letter == UInt8(ascii: "r"), message[start + 2] == UInt8(ascii: ":") else {
            return nil
        }
        var number = 0
        for index in 0..<digitCount { number = number * 10 + Int(message[start + 3 + index]) - 0x30 }
        return (number - 10_000_000, letter == UInt8(ascii: "r"))
    }
}
