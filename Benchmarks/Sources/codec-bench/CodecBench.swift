import Foundation

/// Measures the codec and its alternatives: the envelope scanner, the UTF-8 validator, frames and masking.
///
/// Time is processor time of this process; subjects take turns, and the median of the rounds counts.
@main
enum CodecBench {
    private static let usage = """
        usage: codec-bench [--samples FOLDER] [--only TEXT] [--rounds N] [--json FILE] [--check] [--help]

          --samples FOLDER   where the sample messages are (default: Tests/Samples)
          --only TEXT        only groups with this text in their names
          --rounds N         how many rounds (default: 15)
          --json FILE        writes the results there too
          --check            exits with 1 if the scanner or the validator is slower than it must be

        """

    private struct Options {
        var samples = "Tests/Samples", only = "", rounds = 15, json: String?, isCheck = false
    }

    static func main() throws {
        guard let options = options(CommandLine.arguments.dropFirst()) else {
            FileHandle.standardError.write(Data(usage.utf8))
            exit(64)
        }
        // The figures of a debug build are meaningless.
        #if DEBUG
        FileHandle.standardError.write(Data("codec-bench: a debug build measures nothing; use -c release\n".utf8))
        #endif
        let everything =
            try ScannerSubjects.all(samples: Corpus.samples(in: options.samples)) + TextSubjects.all()
            + FrameSubjects.all()
        let subjects = everything.filter { options.only.isEmpty || $0.group.contains(options.only) }
        let results = Timing(rounds: options.rounds).measure(subjects)
        let report = Report(rounds: options.rounds, results: results)
        print(report.machine)
        print(report.table)
        if let file = options.json { try report.json.write(to: URL(fileURLWithPath: file)) }
        if options.isCheck { check(results) }
    }

    private static func check(_ results: [Measurement]) {
        let complaints = Bar.all.compactMap { $0.complaint(about: results) }
        for complaint in complaints { print("too slow: \(complaint)") }
        if !complaints.isEmpty { exit(1) }
        print("check: all \(Bar.all.count) bars are met")
    }

    /// Nil: invalid arguments.
    private static func options(_ arguments: ArraySlice<String>) -> Options? {
        var options = Options(), rest = arguments
        while let argument = rest.popFirst() {
            switch argument {
            case "--samples": options.samples = rest.popFirst() ?? ""
            case "--only": options.only = rest.popFirst() ?? ""
            case "--rounds": options.rounds = rest.popFirst().flatMap { Int($0) } ?? 0
            case "--json": options.json = rest.popFirst() ?? ""
            case "--check": options.isCheck = true
            case "--help", "-h":
                print(usage, terminator: "")
                exit(0)
            default: return nil
            }
        }
        let isComplete = options.rounds > 0 && !options.samples.isEmpty && options.json != ""
        return isComplete ? options : nil
    }
}
