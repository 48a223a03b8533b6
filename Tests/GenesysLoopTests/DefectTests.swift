import Foundation
import Testing

/// Defects of other clients, and why this library does not have them.
///
/// D: defects of the Python client that this project follows; H: of its unreleased head; P: of its peers. Each row is a
/// sentence about the user, with the test that would fail, or with the reason why it cannot happen.
@Suite struct DefectTests {
    enum Guard {
        /// The test, somewhere under `Tests`, with this name.
        case test(String)
        case impossible(String)
    }

    static let rows: [(id: String, suffering: String, guard: Guard)] = [
        (
            "D1", "awaiting the channel gives nothing to iterate",
            .impossible("nothing is awaited or iterated: open() returns, the delegate is told")
        ),
        (
            "D2", "the documented switch for the extension does not exist",
            .test("there is a rule for each block of a page")
        ),
        ("D3", "the sample in the README is not valid code", .test("there is a rule for each block of a page")),
        ("D4", "the documentation promises heartbeats, which never come", .test("a message is told by its topic")),
        (
            "D5", "after a reconnect nothing is subscribed",
            .test("a lost channel comes back subscribed, and says what may be missing")
        ),
        (
            "D6", "a server that accepts and dies is connected to thousands of times",
            .test("a server that accepts and dies is contacted no more often than the policy allows")
        ),
        (
            "D7", "a maintenance notice ends the channel",
            .test("a maintenance rollover loses, repeats and reorders nothing")
        ),
        (
            "D8", "failures escape the types that are documented",
            .test("a failure tells what failed, why, where, and the HTTP status")
        ),
        (
            "D9", "success is reported, then the subscription turns out to be refused",
            .test("success is reported only when the service confirmed the subscription")
        ),
        (
            "D10", "a failed subscription cannot be told from a failed connection",
            .test("a refused subscription is a failure, not a success")
        ),
        ("D11", "a refused port is an error of another library", .test("a port where nobody listens")),
        (
            "D12", "without reconnecting, a loss is an endless busy loop",
            .test("a loss ends a channel that may not reconnect")
        ),
        (
            "D13", "the current version of the language breaks it",
            .impossible("the minimum is the version that is tested, and CI builds with it")
        ),
        (
            "D14", "a rollover cancels the one who receives",
            .test("rollover(to:) moves to another channel without a break")
        ),
        (
            "D15", "a failed rollover leaves nothing that works",
            .test("a failed rollover leaves the old connection at work")
        ),
        (
            "D16", "an extension that was refused is taken for a success",
            .test("a refused extension is tried once more, then the host may act, and the channel goes on")
        ),
        (
            "D17", "the life is counted from the connection and is over too early",
            .test("a reconnect renews the life, and one lost during the extension does too")
        ),
        (
            "D18", "after one expiry every call fails with it",
            .test("an expired channel ends with a failure that says so")
        ),
        (
            "D19", "expiry and data in one turn are a crash",
            .test("whatever happens, the machine keeps its promises to the driver")
        ),
        (
            "D20", "giving up a wait loses the next message",
            .impossible("nobody waits: messages are pushed, and pause() keeps them")
        ),
        ("D21", "a stall of three seconds drops a healthy link", .test("a dead link is noticed within 42 seconds")),
        ("D22", "a slow consumer kills its own connection", .test("a link that nobody reads is never judged")),
        ("D23", "recovery waits for a dead socket to say good-bye", .test("a dead link is noticed within 42 seconds")),
        (
            "D24", "a message over the limit is met again and again",
            .test("a message over the limit is final, because a reconnect would meet it again")
        ),
        ("D25", "nobody watches for heartbeats", .test("a service that falls silent")),
        (
            "D26", "replies and unknown system messages come out as notifications",
            .test("a message is told by its topic")
        ),
        (
            "D27", "an exception does not say what Genesys said",
            .test("a failure is one clear sentence, and then advice")
        ),
        (
            "D28", "any confirmation is taken for one's own",
            .test("another command's confirmation is not taken for ours")
        ),
        (
            "D29", "closing twice, or early, is an error",
            .test("close() is answered once in every phase, and leaves nothing open")
        ),
        (
            "D30", "401 and 403 cannot be told from a bad network",
            .test("a decision of the service is final on a reconnect")
        ),
        (
            "D31", "the library turns on logging and writes payloads and secrets",
            .test("logs are events too, and show no URI")
        ),
        ("D32", "local time and clock changes end a channel", .test("a clock that is set back changes nothing")),
        (
            "D33", "topics cannot be changed, and their limits are not checked",
            .test("only the difference goes to the service")
        ),
        (
            "H1", "an idle client takes a whole core",
            .impossible("nothing polls: the loop sleeps until a descriptor or its one timer wakes it")
        ),
        (
            "H2", "a second confirmation kills the receiver",
            .test("either of two answers confirms, and the second one does nothing")
        ),
        ("H3", "a dependency is not declared", .impossible("it would not build: CI starts from a bare clone")),
        ("H4", "time-outs need somebody who asks", .test("a service that falls silent")),
        (
            "P1", "the first message raises on a current interpreter",
            .impossible("there is no interpreter, and CI builds with the minimum version")
        ),
        ("P2", "without reconnecting, a dead socket spins", .test("a loss ends a channel that may not reconnect")),
        ("P3", "a refused connection escapes as an error of the system", .test("a port where nobody listens")),
        (
            "P4", "a pause of over a second drops a healthy link",
            .test("a blocked host does not take a living link for a dead one")
        ),
        (
            "P5", "after the maintenance notice the new socket is made and not connected",
            .test("a maintenance rollover loses, repeats and reorders nothing")
        ),
        (
            "P6", "removing all subscriptions also removes the handler of the maintenance notice",
            .test("all topics may go, and others may come")
        ),
        (
            "P7", "a topic that is added twice is an exception after the fact",
            .test("duplicates collapse and the order stays")
        ),
        (
            "P8", "the clock is sent to the service every second",
            .test("nothing that the service says after it is answered")
        ),
        (
            "P9", "a removed topic comes back with the next renewal",
            .test("changes during an outage are part of the resubscription")
        ),
        (
            "P10", "an HTTP error at the upgrade is retried at once, for ever",
            .test("a service that goes away for a while is tried again")
        ),
        (
            "P11", "the old socket is closed before the new one is open",
            .test("the old channel lives until the new one is confirmed")
        ),
        (
            "P12", "each message on a task of its own loses the order",
            .test("a channel subscribes, delivers in order and closes")
        ),
    ]

    @Test func `every defect that users of other clients suffered has a test that exists, or a reason`() throws {
        let root = URL(filePath: #filePath).appending(path: "../..").standardizedFileURL
        var names: Set<Substring> = []
        let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            names.formUnion(text.matches(of: /func `([^`]+)`/).map { $0.1 })
        }
        try #require(names.count > 500)
        for row in Self.rows {
            switch row.guard {
            case .test(let name): #expect(names.contains(Substring(name)), "\(row.id): \(row.suffering)")
            case .impossible(let reason): #expect(reason.count > 20)
            }
        }
        let ids = Self.rows.map(\.id)
        let wanted = (1...33).map { "D\($0)" } + (1...4).map { "H\($0)" } + (1...12).map { "P\($0)" }
        #expect(ids == wanted)
    }
}
