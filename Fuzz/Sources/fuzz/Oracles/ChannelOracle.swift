import GenesysLoop

/// The machine of a channel: bytes become the inputs of a host, a service, a network and a clock.
///
/// Input: four bytes of settings, then steps. Links that are gone, or never existed, send inputs too: the machine must
/// ignore them.
enum ChannelOracle {
    static func complaint(about input: [UInt8]) -> String? {
        var source = FuzzInput(input)
        var run = ChannelRun(&source)
        var stepCount = 0
        while !source.isExhausted, !run.driver.isFinished, stepCount < 2_000 {
            run.step(&source)
            stepCount += 1
            if let complaint = run.examine() { return "step \(stepCount), \(run.machine.state): \(complaint)" }
        }
        run.finishUp()
        return run.examine().map { "at the end, \(run.machine.state): \($0)" }
    }
}
