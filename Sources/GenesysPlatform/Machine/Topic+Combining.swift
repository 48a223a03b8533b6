internal import GenesysLoop

/// A topic of a channel, and the wanted topics that it stands for.
struct Combination {
    var topic: Topic
    var members: [Topic]
}

extension Topic {
    /// Joins single topics of one resource, as many as 200 characters allow. What cannot be joined stays as it is.
    static func combined(_ topics: [Topic]) -> [Combination] {
        guard topics.count > 1 else { return topics.map { Combination(topic: $0, members: [$0]) } }
        var combined: [Combination] = []
        var indices: [Topic: Int] = [:]
        for topic in topics {
            let single = Combination(topic: topic, members: [topic])
            guard let (prefix, suffix) = topic.parts else {
                combined.append(single)
                continue
            }
            if let index = indices[prefix], let joined = combined[index].topic.joined(with: suffix) {
                combined[index].topic = joined
                combined[index].members.append(topic)
            } else {
                indices[prefix] = combined.count
                combined.append(single)
            }
        }
        return combined
    }

    /// What comes before and after the last dot of a single topic.
    private var parts: (prefix: Topic, suffix: Substring)? {
        guard !rawValue.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "&") }),
            let dot = rawValue.utf8.lastIndex(of: UInt8(ascii: ".")), dot > rawValue.startIndex
        else { return nil }
        let suffix = rawValue[rawValue.utf8.index(after: dot)...]
        return suffix.isEmpty ? nil : (Topic(String(rawValue[..<dot])), suffix)
    }

    private func joined(with suffix: Substring) -> Topic? {
        // A topic that was joined before has no parts.
        let name = parts.map { "\($0.prefix)?\($0.suffix)" } ?? rawValue
        let joined = "\(name)&\(suffix)"
        return joined.utf8.count <= Topic.maxCharacterCount ? Topic(joined) : nil
    }
}
