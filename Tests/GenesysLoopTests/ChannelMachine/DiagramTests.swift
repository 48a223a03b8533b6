import Foundation
import Testing

@testable import GenesysLoop

/// `Documentation/ChannelMachine.md`, generated from the tables that test the machine.
@Suite struct DiagramTests {
    // The simulation's package reaches these files through a symbolic link.
    private static let file = URL(filePath: #filePath).resolvingSymlinksInPath()
        .appending(path: "../../../../Documentation/ChannelMachine.md").standardizedFileURL

    /// The next state of a cell; nil if the state stays.
    private static func successor(_ row: TableTests.Row) -> StateName? {
        row.cell.split(separator: ">").dropFirst().last.flatMap {
            StateName(rawValue: $0.trimmingCharacters(in: .whitespaces))
        }
    }

    /// The actions of a cell, without the next state.
    private static func actions(_ row: TableTests.Row) -> String {
        let text = row.cell.split(separator: ">")[0].trimmingCharacters(in: .whitespaces)
        return text == "-" ? "remembered" : text
    }

    private static var diagram: [String] {
        var lines = ["```mermaid", "stateDiagram-v2", "    [*] --> idle"]
        for state in StateName.allCases {
            var causes: [StateName: [String]] = [:]
            for row in TableTests.rows where row.state == state {
                if let next = successor(row) { causes[next, default: []].append(row.input.rawValue) }
            }
            for next in StateName.allCases {
                guard let inputs = causes[next] else { continue }
                lines.append("    \(state) --> \(next): \(inputs.joined(separator: "<br>"))")
            }
        }
        return lines + ["    ended --> [*]", "```"]
    }

    /// What the host sees of a state.
    private static func seen(_ state: StateName) -> String {
        var beginning = Stage()
        switch state {
        case .waiting, .attempting: beginning.open()
        default: break
        }
        let first = beginning.machine.channelState
        let later = Stage.inState(state).machine.channelState
        let exception = first == .idle ? "" : ", before the first confirmation `\(first)`"
        return "`channel.state` is `\(later)`\(exception)."
    }

    private static func table(_ state: StateName) -> [String] {
        var lines = ["### \(state)", "", seen(state), "", "| input | actions | next state |", "|---|---|---|"]
        for row in TableTests.rows where row.state == state && row.cell != "=" {
            lines.append("| \(row.input) | \(actions(row)) | \(successor(row).map { "**\($0)**" } ?? "") |")
        }
        let unmoved = TableTests.rows.filter { $0.state == state && $0.cell == "=" }.map(\.input.rawValue)
        return lines + ["", "Without effect: \(unmoved.joined(separator: ", ")).", ""]
    }

    private static var document: String {
        let head = """
            # The life of a channel

            `ChannelMachine` is a value: it takes facts and returns actions. This page is generated from the tables in \
            `Tests/GenesysLoopTests/ChannelMachine/Table*.swift`, row for row as the tests check them; a test fails \
            when it is out of date, and `GENESYS_LOOP_WRITE=1 ./Scripts/test --filter DiagramTests` writes it again.

            Each table starts from a typical moment of its state: link 1 is the current or the last connection, link 2 \
            its successor, and `stranger` neither of them. An action names its link; `willReconnect`, `didRecover`, \
            `didSubscribe` and similar actions are the calls of the delegate, in this order.

            """
        let lines = [head] + diagram + [""] + StateName.allCases.flatMap(table)
        return lines.joined(separator: "\n")
    }

    @Test func `the documentation of the machine is what its tables say`() throws {
        let document = Self.document
        if ProcessInfo.processInfo.environment["GENESYS_LOOP_WRITE"] != nil {
            try document.write(to: Self.file, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(written == document, "GENESYS_LOOP_WRITE=1 ./Scripts/test --filter DiagramTests writes it again")
    }
}
