import ArgumentParser
import GenesysLoop
import Logging
import ToolSupport

/// What every command needs before it can start; without it, it ends with 69.
enum Startup {
    /// A loop, and a writer to standard output.
    static func resources(log: EventLog) throws -> (UVLoop, LineWriter) {
        do {
            let loop = try UVLoop()
            // A signal, or the writer's last report, may come when the loop has ended: no mistake of anybody.
            loop.logger = EventLogHandler.logger(log, .critical)
            let resources = (loop, LineWriter(to: SystemCalls.standardOutput))
            // The system's certificates are next: that no descriptor is left to read them is no fault of theirs.
            _ = try SystemCalls.read("/dev/null", maxByteCount: 0)
            return resources
        } catch {
            throw refuse(error, log)
        }
    }

    /// Runs what fails only when the system has no resource left.
    static func attempt<T>(log: EventLog, _ body: () throws(SystemCalls.Failure) -> T) throws -> T {
        do throws(SystemCalls.Failure) {
            return try body()
        } catch {
            throw refuse(error, log)
        }
    }

    /// The instant at which the process is `duration` old.
    static func instant(_ duration: Duration, on loop: UVLoop) -> Instant {
        loop.now.instant + (duration - (ContinuousClock.now - ProcessSetup.start))
    }

    /// Says why it cannot start; the status.
    static func refuse(_ error: any Error, _ log: EventLog) -> ExitCode {
        log.write(.log(.critical, "The program cannot start: \(error)"))
        return ExitCode(ExitStatus.unavailable.rawValue)
    }
}

/// The end of standard output.
enum Output {
    /// Waits for the last line.
    ///
    /// - Returns: the status, when writing decides it; nil when all is well, or when the reader left, which is its
    ///   right.
    static func finish(_ writer: LineWriter, log: EventLog) -> ExitStatus? {
        switch writer.finish() {
        case .written, .closedPipe:
            return nil
        case .abandoned(let byteCount):
            log.write(.log(.warning, "Nobody reads standard output: \(byteCount) bytes were not written."))
            return nil
        case .failed(let failure):
            log.write(.log(.error, "Standard output cannot be written: \(failure.text)."))
            return .outputFailed
        }
    }
}
