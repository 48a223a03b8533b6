import ArgumentParser
import GenesysLoop
import Logging
import ToolSupport

/// Resources that every command needs; without them it ends with 69.
enum Startup {
    /// How long a reader of the output may take nothing at the end.
    private static let patience: Duration = .seconds(2)

    /// A loop, and a writer to a file, or to standard output.
    static func resources(log: EventLog, output: String? = nil) throws -> (UVLoop, LineWriter) {
        let sink = try output.map { try file($0, log: log) } ?? LineSink(to: SystemCalls.standardOutput)
        return (try loop(log: log), LineWriter(to: sink, patience: patience))
    }

    /// A loop.
    static func loop(log: EventLog) throws -> UVLoop {
        do {
            let loop = try UVLoop()
            // A signal, or the writer's last report, may arrive after the loop has ended, which is not a mistake.
            loop.logger = EventLogHandler.logger(log, .critical)
            // The system's certificates are read next; a missing descriptor is not their fault.
            _ = try SystemCalls.read("/dev/null", maxByteCount: 0)
            return loop
        } catch {
            throw refuse(error, log)
        }
    }

    /// Opens the file of `--output`.
    private static func file(_ path: String, log: EventLog) throws -> LineSink {
        do throws(SystemCalls.Failure) {
            return try LineSink(appendingTo: path)
        } catch  where error.isDescriptorShortage {
            throw refuse(error, log)
        } catch {
            throw ValidationError("The file of --output, “\(path)”, cannot be opened: \(error.text).")
        }
    }

    /// Runs a body that fails only if the system has no resources left.
    static func attempt<T>(log: EventLog, _ body: () throws(SystemCalls.Failure) -> T) throws -> T {
        do throws(SystemCalls.Failure) {
            return try body()
        } catch {
            throw refuse(error, log)
        }
    }

    /// The time until the process is `duration` old.
    static func remaining(of duration: Duration) -> Duration {
        duration - (ContinuousClock.now - ProcessSetup.start)
    }

    /// Reports why the command cannot start; returns the status.
    static func refuse(_ error: any Error, _ log: EventLog) -> ExitCode {
        log.write(.log(.critical, "The program cannot start: \(error)"))
        return ExitCode(ExitStatus.unavailable.rawValue)
    }
}

/// The end of the output.
enum Output {
    /// Waits for the last line.
    ///
    /// - Returns: the status, if writing decides it; nil if all was written, or if the reader left, which is not an
    ///   error.
    static func finish(_ writer: LineWriter, log: EventLog) -> ExitStatus? {
        switch writer.finish() {
        case .written, .closedPipe:
            return nil
        case .abandoned(let byteCount):
            log.write(.log(.warning, "Nobody reads \(writer.name): \(byteCount) bytes were not written."))
            return nil
        case .failed(let failure):
            log.write(
                .log(
                    .error,
                    "\(writer.name.prefix(1).uppercased() + writer.name.dropFirst()) cannot be written: \(failure.text)."
                ))
            return .outputFailed
        }
    }
}
