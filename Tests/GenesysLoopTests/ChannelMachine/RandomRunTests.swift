import Testing

@testable import GenesysLoop

@Suite struct RandomRunTests {
    @Test(arguments: 0..<10)
    func `whatever happens, the machine keeps its promises to the driver`(_ batch: UInt64) {
        var visited: Set<StateName> = []
        for seed in batch * 500..<(batch + 1) * 500 {
            var run = RandomRun(seed: seed)
            run.run(inputs: 200)
            #expect(run.complaints.isEmpty)
            if !run.complaints.isEmpty { return }
            visited.formUnion(run.visited)
        }
        #expect(visited == Set(StateName.allCases), "a run that visits nothing proves nothing")
    }
}
