import Foundation
import GenesysLoop
import Testing
import ToolSupport

/// Files as the output of a `LineWriter`.
@Suite(.timeLimit(.minutes(patience(1)))) struct LineSinkTests {
    /// Lends an empty folder, and removes it afterwards.
    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sink-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    /// A writer whose reports a test waits for.
    private final class Writing: Sendable {
        let writer: LineWriter
        private let reports = Locked<[LineWriter.Report]>([])
        private let news = DispatchSemaphore(value: 0)

        init(_ path: String, limit: Int = LineWriter.defaultLimit) throws {
            writer = LineWriter(to: try LineSink(appendingTo: path), limit: limit)
            try writer.start { [reports, news] report in
                reports.withLock { $0.append(report) }
                news.signal()
            }
        }

        func give(_ text: String) -> Bool {
            var bytes = Array(text.utf8)
            return writer.give(&bytes)
        }

        func report() -> LineWriter.Report? {
            guard news.wait(timeout: .now() + 30) == .success else { return nil }
            return reports.withLock { $0.removeFirst() }
        }
    }

    // Not by Foundation, which leaks the memory for an empty file.
    private func text(_ file: URL) -> String? {
        (try? SystemCalls.read(file.path, maxByteCount: 1 << 24)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `lines are appended, and a new file is for its owner and group only`() throws {
        try inFolder { folder in
            let file = folder.appending(path: "lines")
            for line in ["a\n", "b\n"] {
                let writing = try Writing(file.path)
                _ = writing.give(line)
                #expect(writing.writer.finish() == .written)
            }
            #expect(text(file) == "a\nb\n")
            let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
            #expect((mode ?? 0o777) & ~0o640 == 0)
        }
    }

    @Test(arguments: [("a\n{\"torn\":", "a\n{\"torn\":\nb\n"), ("a\n", "a\nb\n"), ("", "b\n"), ("\n", "\nb\n")])
    func `the rest of a line of an earlier run gets a line of its own`(before: String, after: String) throws {
        try inFolder { folder in
            let file = folder.appending(path: "lines")
            try before.write(to: file, atomically: true, encoding: .utf8)
            let writing = try Writing(file.path)
            #expect(text(file) == before)
            _ = writing.give("b\n")
            #expect(writing.writer.finish() == .written)
            #expect(text(file) == after)
        }
    }

    @Test func `a file is opened again by its path, and made anew if it is gone`() throws {
        try inFolder { folder in
            let (file, rotated) = (folder.appending(path: "lines"), folder.appending(path: "lines.1"))
            let writing = try Writing(file.path)
            _ = writing.give("a\n")
            try FileManager.default.moveItem(at: file, to: rotated)
            writing.writer.reopen()
            #expect(writing.report() == .reopened(nil))
            _ = writing.give("b\n")
            #expect(writing.writer.finish() == .written)
            // The first line may be in either.
            #expect((text(rotated) ?? "") + (text(file) ?? "") == "a\nb\n")
            #expect(text(file)?.hasSuffix("b\n") == true)
        }
    }

    @Test func `a file that cannot be opened again leaves the old one in use`() throws {
        try inFolder { folder in
            let (file, rotated) = (folder.appending(path: "lines"), folder.appending(path: "lines.1"))
            let writing = try Writing(file.path)
            try FileManager.default.moveItem(at: file, to: rotated)
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
            writing.writer.reopen()
            #expect(writing.report() == .reopened(SystemCalls.Failure(file.path, code: EISDIR)))
            _ = writing.give("a\n")
            #expect(writing.writer.finish() == .written)
            #expect(text(rotated) == "a\n")
        }
    }

    @Test func `opening it again a thousand times loses no line and leaves no descriptor open`() throws {
        try inFolder { folder in
            let file = folder.appending(path: "lines")
            let writing = try Writing(file.path)
            for number in 0..<1_000 {
                _ = writing.give("\(number)\n")
                if number.isMultiple(of: 2) { writing.writer.reopen() }
            }
            #expect(writing.writer.finish() == .written)
            #expect(text(file)?.split(separator: "\n").map(String.init) == (0..<1_000).map(String.init))
            #expect(openDescriptors().count { $0.hasPrefix(folder.path) } == 0)
        }
    }

    /// What the descriptors of this process lead to.
    private func openDescriptors() -> [String] {
        let folder = "/proc/self/fd"
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return numbers.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
    }

    @Test func `a FIFO waits for its reader, and everything else goes on`() throws {
        try inFolder { folder in
            let fifo = folder.appending(path: "fifo").path
            // The path is a C string, valid during the call.
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let writing = try Writing(fifo, limit: 100_000)
            #expect(writing.writer.waitsForReader)
            #expect(!writing.give("a\n"))
            #expect(writing.give(String(repeating: "b", count: 100_000) + "\n"))
            let reader = Process()
            reader.executableURL = URL(filePath: "/bin/cat")
            reader.arguments = [fifo]
            let output = folder.appending(path: "output")
            _ = FileManager.default.createFile(atPath: output.path, contents: nil)
            reader.standardOutput = FileHandle(forWritingAtPath: output.path)
            let hasEnded = DispatchSemaphore(value: 0)
            try reader.start { _ in hasEnded.signal() }
            #expect(writing.report() == .drained)
            _ = writing.give("c\n")
            #expect(writing.writer.finish() == .written)
            #expect(hasEnded.wait(timeout: .now() + 30) == .success)
            #expect(text(output) == "a\n" + String(repeating: "b", count: 100_000) + "\nc\n")
        }
    }

    @Test func `a FIFO without a reader is left at once after an interruption`() throws {
        try inFolder { folder in
            let fifo = folder.appending(path: "fifo").path
            // The path is a C string, valid during the call.
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            let writing = try Writing(fifo)
            _ = writing.give("a\n")
            let start = ContinuousClock.now
            writing.writer.interrupt()
            #expect(writing.writer.finish() == .abandoned(byteCount: 2))
            #expect(ContinuousClock.now - start < .seconds(1.5))
            // The thread goes on as long as the process.
            let reader = FileHandle(forReadingAtPath: fifo)
            #expect(try reader?.readToEnd() == Data("a\n".utf8))
        }
    }

    @Test func `what was written to a FIFO without a reader may be opened again as a file`() throws {
        try inFolder { folder in
            let file = folder.appending(path: "lines")
            // The path is a C string, valid during the call.
            try #require(unsafe mkfifo(file.path, 0o600) == 0)
            let writing = try Writing(file.path)
            _ = writing.give("a\n")
            try FileManager.default.removeItem(at: file)
            writing.writer.reopen()
            #expect(writing.report() == .reopened(nil))
            #expect(writing.writer.finish() == .written)
            #expect(text(file) == "a\n")
        }
    }

    @Test(arguments: ["", "/", "/nonexistent/lines", "/dev/null/lines"])
    func `what cannot be opened is an error before anything starts`(path: String) {
        #expect(throws: SystemCalls.Failure.self) { try LineSink(appendingTo: path) }
    }

    @Test func `a device that is full is an error with the path`() throws {
        let writing = try Writing("/dev/full")
        _ = writing.give("a\n")
        #expect(writing.report() == .failed)
        #expect(writing.writer.finish() == .failed(SystemCalls.Failure("/dev/full", code: ENOSPC)))
    }
}
