import Foundation
import Testing

@testable import GenesysLoop

/// `Documentation/Proof.md`: its scenes are played on the machine, row for row; its theory is that of `LinkEvidence`.
@Suite struct SceneTests {
    /// A line of a scene's table.
    struct Row: Sendable {
        let time: Duration
        let event: String
        let actions: String
    }

    /// The sentence after a table.
    struct Verdict: Equatable, Sendable {
        let from: String
        let to: String
        let reason: String
    }

    /// One course of a scene: a table and what the page concludes from it.
    struct Course: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let rows: [Row]
        /// Nil where the page says that there is no gap.
        let verdict: Verdict?
    }

    // The simulation's package reaches these files through a symbolic link.
    private static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .appending(path: "../../../..").standardizedFileURL

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func page() throws -> String { try text("Documentation/Proof.md") }

    /// All courses of the page; a broken page has none, which the first test notices.
    static let courses: [Course] =
        (try? page()).map { page in
            page.split(separator: "\n## Scene ").dropFirst().flatMap { scene in
                let title = scene.prefix { $0 != "\n" }
                return scene.split(separator: "|---|---|---|\n").dropFirst().map { course(String(title), $0) }
            }
        } ?? []

    private static func course(_ title: String, _ text: Substring) -> Course {
        let rows = text.prefixMatch(of: /(\|.*\n)+/)?.output.0 ?? ""
        let gap = text.firstMatch(of: /\*\*The gap is from ([\d.]+) s to ([\d.]+) s, reason `(\w+)`,\*\*/)
        return Course(
            testDescription: "\(title), \(gap == nil ? "no gap" : "a gap")", rows: rows.split(separator: "\n").map(row),
            verdict: gap.map { Verdict(from: "\($0.1)", to: "\($0.2)", reason: "\($0.3)") })
    }

    private static func row(_ line: Substring) -> Row {
        let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        let tenths = (Double(cells[0]) ?? -1) * 10
        return Row(time: .milliseconds(Int(tenths.rounded()) * 100), event: cells[1], actions: cells[2])
    }

    // MARK: - The tests

    @Test func `the page has five scenes, and each course ends with a verdict`() throws {
        let page = try Self.page()
        #expect(page.matches(of: /(?m)^## Scene \d:/).count == 5)
        #expect(Self.courses.count == 7)
        #expect(Self.courses.count { $0.verdict != nil } == 5)
        #expect(page.matches(of: /(?m)^\*\*No gap,\*\* because/).count == 2)
        #expect(page.matches(of: /reason `\w+`,\*\* because/).count == 5)
    }

    @Test(arguments: courses)
    func `the machine does what the page says, when the page says it`(_ course: Course) throws {
        var scene = Scene()
        for row in course.rows {
            let actions = scene.play(row)
            #expect(try #require(actions, "no such event: \(row.event)") == row.actions, "\(row.time): \(row.event)")
        }
        #expect(scene.gaps == [course.verdict].compactMap(\.self))
        scene.stage.check()
    }

    @Test(arguments: courses)
    func `what the page calls lost lies in the gap`(_ course: Course) {
        let lost = course.rows.filter { $0.event.contains("lost") }.map { $0.time / .seconds(1) }
        #expect(lost.isEmpty == (course.verdict == nil))
        guard let verdict = course.verdict, let from = Double(verdict.from), let to = Double(verdict.to) else { return }
        #expect(lost.allSatisfy { from < $0 && $0 < to })
    }

    @Test func `the page and the machine name the same sentences, and the machine cites no other`() throws {
        let title = /\*\*(E\d\. [^*]+)\*\*/
        let titles = try Self.page().matches(of: title).map { "\($0.1)" }
        let machine = try Self.text("Sources/GenesysLoop/ChannelMachine/LinkEvidence.swift")
        #expect(titles.count == 5)
        #expect(titles == machine.matches(of: title).map { "\($0.1)" })
        for name in ["LinkEvidence", "Overlap", "ChannelMachine+Rollover"] {
            let source = try Self.text("Sources/GenesysLoop/ChannelMachine/\(name).swift")
            for number in source.matches(of: /\bE(\d)\b/) {
                #expect(titles.contains { $0.hasPrefix("E\(number.1).") }, "\(name) cites E\(number.1)")
            }
        }
    }
}

/// A scene in progress. Second 0 is the confirmation on link 1.
private struct Scene {
    var stage = Stage.live { $0.reconnect = .backoff(.init(base: .milliseconds(500), floor: .milliseconds(500))) }
    private var isBlocked = false
    private let start: ClockReading

    init() { start = stage.now }

    /// Every gap so far, in the words of the page.
    var gaps: [SceneTests.Verdict] {
        stage.log.gaps.map {
            SceneTests.Verdict(from: second($0.from), to: second($0.to), reason: "\($0.reason)")
        }
    }

    private func second(_ time: WallTime) -> String {
        let tenths = Int(((time - start.wall) / .milliseconds(100)).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// Plays a row at its time.
    ///
    /// - Returns: what the machine does; nil for an event that has no meaning.
    mutating func play(_ row: SceneTests.Row) -> String? {
        let rest = start.instant + row.time - stage.now.instant
        guard row.event != "a deadline is over" else { return words(waitForDeadline(rest)) }
        if isBlocked { stage.block(rest) } else if rest > .zero { #expect(stage.wait(rest) == [], "before \(row)") }
        return happen(row.event).map(words)
    }

    /// The machine acts when `rest` is over, and not before.
    private mutating func waitForDeadline(_ rest: Duration) -> [ChannelMachine.Action] {
        guard rest > .zero else { return stage.wait(.zero) }
        #expect(stage.wait(rest - .nanoseconds(1)) == [])
        return stage.wait(.nanoseconds(1))
    }

    private mutating func happen(_ event: String) -> [ChannelMachine.Action]? {
        if let match = event.wholeMatch(of: /link (\d): (.+)/), let number = UInt32(match.1) {
            return happen(match.2, on: LinkID(rawValue: number))
        }
        switch event {
        case "the loop is blocked":
            isBlocked = true
        case "the loop runs again":
            isBlocked = false
            stage.noticeLateness()
        default:
            return event.hasPrefix("unseen: ") ? [] : nil
        }
        return []
    }

    private mutating func happen(_ event: Substring, on link: LinkID) -> [ChannelMachine.Action]? {
        switch event {
        case "the upgrade is accepted":
            return stage.opened(link)
        case "the subscription is confirmed":
            return stage.accept(link)
        case "the maintenance notice is read":
            return stage.socketClosing(link)
        case "the takeover notice is read":
            return stage.system(.noLongerSubscribed, link)
        case "reset":
            return stage.ended(link, .reset)
        case "a Close frame is read":
            stage.heard(link)
            return stage.ended(link, .closed(1000))
        case "a pong is read":
            stage.pong(link)
        case "data is read":
            stage.heard(link)
        default:
            return nil
        }
        return []
    }
}
