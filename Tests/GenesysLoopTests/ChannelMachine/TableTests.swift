import Testing

@testable import GenesysLoop

/// One row for each state and input: the machine's actions and its next state.
///
/// A cell is `actions > next state`; without a `>` the state stays. `-` means no action, and `=` means no action and no
/// change at all.
@Suite struct TableTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let state: StateName
        let input: TableInput
        let cell: String

        var testDescription: String { "\(state) × \(input)" }
    }

    static let rows: [Row] = StateName.allCases.flatMap { state in
        table[state, default: ""].split(separator: "\n").compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let input = TableInput(rawValue: String(parts[0])) else { return nil }
            return Row(state: state, input: input, cell: parts[1].drop { $0 == " " }.description)
        }
    }

    @Test func `every state has a row for every input`() {
        for state in StateName.allCases {
            let inputs = TableTests.rows.filter { $0.state == state }.map(\.input)
            #expect(Set(inputs).count == inputs.count, "\(state) has an input twice")
            let missing = TableInput.allCases.filter { !inputs.contains($0) }
            #expect(missing.isEmpty, "\(state) lacks \(missing)")
            #expect(
                TableTests.table[state]?.split(separator: "\n").count == inputs.count, "\(state): a row is misspelt")
        }
    }

    @Test(arguments: rows)
    func `the machine does what the table says`(_ row: Row) {
        var stage = Stage.inState(row.state, isOpened: !row.input.wantsUnopened)
        #expect(StateName(stage.machine.state) == row.state)
        row.input.prepare(&stage)
        var before = stage.machine
        let answer = row.input.feed(&stage)
        // The remembered clock reading is not a state of the channel.
        before.clocks = stage.machine.clocks
        let isUnchanged = answer.isEmpty && stage.machine == before
        let next = StateName(stage.machine.state)
        let cell = isUnchanged ? "=" : (answer.isEmpty ? "-" : answer) + (next == row.state ? "" : " > \(next)")
        #expect(cell == row.cell)
        stage.check()
    }
}
