import GenesysLoop

/// The topics of a command line, checked before anything is sent.
enum TopicList {
    /// Why topics cannot be used; one sentence.
    struct Unusable: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// The topics without duplicates, in order.
    ///
    /// - Throws: when there is none, one is unusable, or there are more than a channel may have.
    static func checked(_ topics: [Topic]) throws(Unusable) -> [Topic] {
        var seen: Set<Topic> = []
        let unique = topics.filter { seen.insert($0).inserted }
        for topic in unique { try check(topic) }
        guard !unique.isEmpty else { throw Unusable(description: "No topic: give --topic or --topics-file.") }
        guard unique.count <= Topic.maxCount else {
            throw Unusable(
                description: "\(unique.count) topics are more than the \(Topic.maxCount) that one channel may have.")
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

    /// The topics of a file: one a line; blank lines and lines that begin with `#` do not count.
    ///
    /// Lines end with LF or CR LF; white space around a topic, and a byte order mark, do not count either.
    ///
    /// - Throws: when the bytes are not UTF-8.
    static func parse(_ bytes: [UInt8]) throws(Unusable) -> [Topic] {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Unusable(description: "The topics file is not UTF-8 text.")
        }
        let scalars = text.unicodeScalars
        let lines = (scalars.first == "\u{FEFF}" ? scalars.dropFirst() : scalars[...]).split(separator: "\n")
        var topics: [Topic] = []
        for line in lines {
            let topic = trimmed(line)
            if let first = topic.first, first != "#" { topics.append(Topic(String(topic))) }
        }
        return topics
    }

    private static func trimmed(_ line: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView {
        var line = line.drop { $0.properties.isWhitespace }
        while let last = line.last, last.properties.isWhitespace { line.removeLast() }
        return line
    }
}
