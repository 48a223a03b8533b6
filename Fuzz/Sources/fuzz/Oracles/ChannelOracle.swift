import GenesysLoop

/// The machine of a channel: bytes become what a host, a service, a network and a clock may do.
///
/// Input: four bytes of settings, then steps. Links that are gone, or never were, speak too: the machine must not
/// listen to them.
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
