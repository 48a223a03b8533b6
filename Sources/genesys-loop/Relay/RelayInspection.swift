import ArgumentParser
import GenesysLoop
import GenesysRelay
import Logging
import ToolSupport

/// `relay --check`: says what the engine is, and who has the lease.
struct RelayInspection {
    private let plan: RelayPlan

    init(_ plan: RelayPlan) { self.plan = plan }

    func run() throws -> ExitStatus {
        plan.warn()
        let (loop, writer) = try Startup.resources(log: plan.log)
        let check: RelayCheck
        do throws(RelayError) {
            check = try RelayCheck(name: plan.name, target: plan.target, on: loop, configuration: plan.relay)
        } catch {
            throw ValidationError(error.description)
        }
        let bound = LoopBound(check, on: loop)
        let signals = try Startup.attempt(log: plan.log) { () throws(SystemCalls.Failure) in
            try writer.start { _ in }
            return try SignalWatch(first: {
                writer.interrupt()
                bound.execute { $0.cancel() }
            })
        }
        defer { signals.end() }
        var status = ExitStatus.success
        check.start(limit: plan.firstConnectionLimit) { result in
            switch result {
            case .success(let findings):
                var lines = RelayInspection.lines(findings, plan).flatMap { Array("\($0)\n".utf8) }
                _ = writer.give(&lines)
            case .failure(let failure):
                plan.log.write(.log(.error, failure.description))
                status = ExitStatus(failure)
            }
        }
        loop.run()
        return Output.finish(writer, log: plan.log) ?? status
    }

    private static func lines(_ findings: RelayCheck.Findings, _ plan: RelayPlan) -> [String] {
        let engine = findings.engine
        var lines = [
            "target: \(plan.target)", "engine: \(engine.version)", "durability: \(engine.durability)",
            "last stored: \(engine.lastStored ?? "nothing")",
        ]
        if findings.isHeld { lines.append("lease: held by another relay, which writes this file") }
        if findings.hasLease { lines.append("lease: \(words(findings.lease))") }
        return (lines + engine.warnings.map { "warning: \($0)" }).map(EventLog.printable)
    }

    private static func words(_ lease: LeaseRecord?) -> String {
        guard let lease else { return "free" }
        guard !lease.isReleased else { return "free; \(lease.owner) gave it up after epoch \(lease.epoch)" }
        return "held by \(lease.owner), epoch \(lease.epoch)"
            + (lease.coveredUntil.map { ", covered until \($0)" } ?? "")
    }
}
