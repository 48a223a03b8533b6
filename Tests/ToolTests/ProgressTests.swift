import Foundation
import GenesysLoop
import Testing

@testable import ToolSupport
@testable import genesys_loop

/// The status line of `listen`.
@Suite(.timeLimit(.minutes(patience(2)))) struct ProgressTests {
    private static let erasure = "\r\u{1B}[K"

    @Test func `the status line stands below the other lines, and is gone at the end`() async throws {
        try await Simulator.with("--rate", "100") { simulator in
            let child = try Child(
                Tool.executable, simulator.listening(), terminal: try Terminal(), variables: ["TERM": "xterm"])
            #expect(await child.errors.contains("subscribed to 1 topic"))
            #expect(await child.errors.contains(" in all, lag 0."))
            #expect(await child.errors.contains("no gap, subscribed 0 s ago"))
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0)
            let sentences = ["genesys-loop: subscribed to 1 topic", "genesys-loop: closed"]
            #expect(Terminal.lines(end.errors) == sentences + [""], "\(end.errors)")
        }
    }

    @Test(
        arguments: [
            (["--no-progress"], "xterm", false, false), ([], "dumb", false, false),
            (["--events"], "xterm", false, false),
            ([], "xterm", true, false), (["--progress"], "xterm", true, true), (["--progress"], "dumb", false, false),
            ([], "xterm", false, true), (["--progress"], "xterm", false, true),
        ] as [([String], String, Bool, Bool)])
    func `there is a status line only on a terminal, where no notifications appear`(
        options: [String], term: String, outputIsTerminal: Bool, isShown: Bool
    ) async throws {
        try await Simulator.with("--rate", "100") { simulator in
            let output = outputIsTerminal ? try Terminal() : nil
            let child = try Child(
                Tool.executable, simulator.listening("--count", "3") + options, standardOutput: output?.side,
                terminal: try Terminal(), variables: ["TERM": term])
            let lines = try output.map { StreamCollector(try $0.screen()) }
            let end = await child.end()
            #expect(end.status == 0)
            #expect(end.errors.contains(Self.erasure) == isShown, "\(end.errors)")
            let count = await lines?.all().count { $0 == 0x0A } ?? end.output.count { $0 == 0x0A }
            #expect(count == 3)
        }
    }

    @Test func `without a terminal there is no status line`() async throws {
        try await Simulator.with("--rate", "100") { simulator in
            let end = try await simulator.listen("--count", "3", "--progress")
            #expect(end.status == 0)
            #expect(try Tool.sentences(end.errors) == ["subscribed to 1 topic", "closed"])
        }
    }

    // MARK: - The text

    @Test func `the text says rate, count, lag, gaps and the last event`() {
        var text = ProgressText()
        func at(
            _ seconds: Double, _ count: Int, gaps: Int = 0, lag: Double? = nil, _ event: (String, Double)? = nil
        ) -> String {
            let event = event.map { (name: $0.0, age: Duration.seconds($0.1)) }
            let sample = ProgressText.Sample(
                count: count, gapCount: gaps, silence: lag.map { .seconds($0) }, event: event)
            return text.text(sample, at: Instant(nanoseconds: 0) + .seconds(seconds))
        }
        #expect(at(0, 0) == "0/s, 0 in all, no gap")
        #expect(at(1, 5, lag: 0.26, ("subscribed", 0.9)) == "5/s, 5 in all, lag 0.2 s, no gap, subscribed 0 s ago")
        #expect(at(2, 11, gaps: 1, ("gap", 119)) == "5.5/s, 11 in all, 1 gap, gap 119 s ago")
        // The first second is no longer in the window.
        #expect(at(3, 2_005, gaps: 2, ("gap", 120)) == "1000/s, 2005 in all, 2 gaps, gap 2 min ago")
        #expect(at(100, 2_005, lag: 40, ("gap", 7_300)) == "0/s, 2005 in all, lag 40.0 s, no gap, gap 2 h ago")
    }

    // MARK: - The writer

    private static func line(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `lines are written above the status, which is drawn only when it changes`() {
        var status = StatusLine()
        #expect(status.drawing() == nil)
        let changes = [status.set(Self.line("a")), status.set(Self.line("b"))]
        #expect(changes == [true, true])
        #expect(status.drawing() == Self.line("\(Self.erasure)b\r"))
        #expect(status.drawing() == nil)
        let isNews = status.set(Self.line("b"))
        #expect(!isNews)
        var lines = Self.line("x\n")
        #expect(status.wrap(&lines) == 10)
        #expect(lines == Self.line("\(Self.erasure)x\n\(Self.erasure)b\r"))
        _ = status.set(nil)
        lines = Self.line("y\n")
        #expect(status.wrap(&lines) == 4)
        #expect(lines == Self.line("\(Self.erasure)y\n"))
        #expect(status.drawing() == nil)
    }

    @Test func `of many status lines that nobody reads one is queued`() throws {
        let pipe = Pipe()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor)
        try writer.start { _ in }
        // More than a pipe holds, so that the thread waits.
        var lines = [UInt8](repeating: 0x61, count: 1_000_000)
        _ = writer.give(&lines)
        for number in 0...1_000 { writer.show(Self.line("<\(number)>")) }
        #expect(writer.queuedByteCount <= 1_000_000 + 16)
        let reader = StreamReader(pipe.fileHandleForReading)
        reader.wait(for: "<1000>")
        #expect(writer.finish() == .written)
        try pipe.fileHandleForWriting.close()
        let text = reader.all()
        #expect(text.count { $0 == "<" } <= 2)
        #expect(text.hasSuffix("\(Self.erasure)<1000>\r\(Self.erasure)"))
    }
}

/// Reads a pipe on the test's own thread.
private final class StreamReader {
    private let handle: FileHandle
    private var text = ""

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    func wait(for part: String) {
        while !text.hasSuffix(part + "\r") {
            let data = handle.availableData
            if data.isEmpty { return }
            text += String(decoding: data, as: UTF8.self)
        }
    }

    func all() -> String {
        text += String(decoding: handle.readDataToEndOfFile(), as: UTF8.self)
        return text
    }
}
