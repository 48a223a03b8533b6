import ArgumentParser
import GenesysLoop

/// The options that name topics.
struct TopicOptions: ParsableArguments {
    @Option(name: .customLong("topic"), help: ArgumentHelp("A topic; may be given again.", valueName: "topic"))
    var topics: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file with one topic a line, - for standard input; # at the start of a line or after white space begins a "
                + "comment.",
            valueName: "file"))
    var topicsFile: String?

    /// Whether any of the options is given.
    var isGiven: Bool { !topics.isEmpty || topicsFile != nil }

    /// The topics, checked and without duplicates; empty only if no option is given.
    func topics(for source: ChannelSource, _ files: inout OptionFiles) throws -> [Topic] {
        guard isGiven else { return [] }
        let text = try topicsFile.map { try files.topics($0) }
        do throws(TopicList.Unusable) {
            var all = topics.map { Topic($0) }
            if let text { all += try TopicList.parse(text) }
            return try TopicList.checked(all, limit: source.topicLimit)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
