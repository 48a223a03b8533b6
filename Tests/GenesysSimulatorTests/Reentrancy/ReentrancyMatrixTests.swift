import GenesysLoop
import GenesysSimulator
import Testing

/// Everything is legal inside every delegate method.
///
/// Each cell is a table row: a method, and what the host does in it. It is played 10 times, and many more times by
/// `Scripts/test --all`, in batches that share a loop, with and without TLS.
@Suite(.timeLimit(.minutes(patience(10)))) struct ReentrancyMatrixTests {
    @Test(arguments: ChannelMoment.allCases, Deed.ofChannels)
    func `a host may do anything in any method of a channel's delegate`(_ moment: ChannelMoment, _ deed: Deed) throws {
        try play(rate: 500, "\(moment) \(deed)") { stage, round in
            let session = try ChannelSession(stage, moment, deed, patience: round * 3)
            return { session.check() }
        }
    }

    @Test(arguments: ClientMoment.allCases, Deed.ofClients)
    func `a host may do anything in any method of a client's delegate`(_ moment: ClientMoment, _ deed: Deed) throws {
        try play(rate: 0, "\(moment) \(deed)") { stage, round in
            let session = try ClientSession(stage, moment, deed, patience: round * 3)
            return { session.check() }
        }
    }

    @Test func `every method of the delegates is a row of a matrix`() {
        // The documented requirements of the protocols; a new one needs a row.
        let changes = ChannelState.allCases.compactMap { ChannelMoment($0) }
        #expect(Set(ChannelMoment.allCases).subtracting(changes).count + 1 == 12)
        #expect(ClientMoment.allCases.count == 7)
        #expect(Set(Deed.ofChannels).union(Deed.ofClients) == Set(Deed.allCases))
    }

    /// Plays all rounds of a cell.
    private func play(
        rate: Double, _ cell: String, _ begin: (MatrixStage, Int) throws -> () -> Void
    ) throws {
        for first in stride(from: 0, to: MatrixStage.roundCount, by: MatrixStage.batch) {
            // Half of the cells begin with TLS, and the batches of a cell alternate.
            let stage = try MatrixStage(tls: (first / MatrixStage.batch + cell.utf8.count) % 2 == 0, rate: rate)
            let checks = try (first..<first + MatrixStage.batch).map { try begin(stage, $0 % 40) }
            stage.run()
            for check in checks { check() }
        }
    }
}
