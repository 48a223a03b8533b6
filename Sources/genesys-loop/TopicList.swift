import GenesysLoop

/// The topics of a command line, checked before anything is sent.
enum TopicList {
    /// Why topics cannot be used; one sentence.
    struct Unusable: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// The topics without duplicates, in order.
    ///
    /// - Parameter limit: the most of them; nil for as many as a group of channels takes.
    /// - Throws: if there is none, one is invalid, or there are too many.
    static func checked(_ topics: [Topic], limit: Int? = Topic.maxCount) throws(Unusable) -> [Topic] {
        var seen: Set<Topic> = []
        let unique = topics.filter { seen.insert($0).inserted }
        for topic in unique { try check(topic) }
        guard !unique.isEmpty else { throw Unusable(description: "No topic: give --topic or --topics-file.") }
        if let limit, unique.count > limit {
            throw Unusable(description: "\(unique.count) topics are more than the \(limit) that one channel may have.")
        }
        if unique.count > Topic.maxCount {
            do throws(ChannelFailure) {
                _ = try ShardNeeds(unique)
            } catch {
                throw Unusable(description: Check.sentence(error.message ?? error.clause))
            }
        }
        return unique
    }

    private static func check(_ topic: Topic) throws(Unusable) {
        guard !topic.isValid else { return }
        let name = topic.rawValue
        guard !name.isEmpty else { throw Unusable(description: "A topic is empty.") }
        let shown = EventLog.printable(name.count > 60 ? name.prefix(60) + "…" : name)
        if name.count > Topic.maxCharacterCount {
            throw Unusable(
                description:
                    "The topic '\(shown)' has \(name.count) characters; \(Topic.maxCharacterCount) is the most.")
        }
        throw Unusable(description: "The topic '\(shown)' holds white space or a control character.")
    }

    /// The topics of a file: one per line; blank lines and comments are ignored.
    ///
    /// A comment begins with `#`, at the start of a line or after white space. Lines end with LF or CR LF; white space
    /// around a topic, and a byte order mark, are ignored too.
    ///
    /// - Throws: if the bytes are not UTF-8, or a topic is invalid; the sentence names the line.
    static func parse(_ bytes: [UInt8]) throws(Unusable) -> [Topic] {
        var topics: [Topic] = []
        let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let lines = bytes.dropFirst(isMarked ? 3 : 0).split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            do throws(Unusable) {
                guard let topic = try topic(on: line) else { continue }
                try check(topic)
                topics.append(topic)
            } catch {
                throw Unusable(description: "Line \(index + 1) of the topics file: \(error.description)")
            }
        }
        return topics
    }

    /// Nil if the line holds no topic.
    private static func topic(on line: ArraySlice<UInt8>) throws(Unusable) -> Topic? {
        guard let text = String(validating: line, as: UTF8.self) else {
            throw Unusable(description: "It is not UTF-8.")
        }
        let scalars = text.unicodeScalars
        let comment = scalars.indices.first { index in
            scalars[index] == "#"
                && (index == scalars.startIndex || scalars[scalars.index(before: index)].properties.isWhitespace)
        }
        let topic = trimmed(scalars[..<(comment ?? scalars.endIndex)])
        return topic.isEmpty ? nil : Topic(String(topic))
    }

    private static func trimmed(_ line: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView {
        var line = line.drop { $0.properties.isWhitespace }
        while let last = line.last, last.properties.isWhitespace { line.removeLast() }
        return line
    }
}
