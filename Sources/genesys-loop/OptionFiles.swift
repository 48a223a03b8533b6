import ArgumentParser
import GenesysLoop
import ToolSupport

/// The files of options. Each is read once, although several options may name it.
struct OptionFiles {
    private var files = InputFiles()
    private let log: EventLog

    init(log: EventLog) {
        self.log = log
    }

    /// Reads a file.
    ///
    /// - Parameter what: a description of the file, with a capital letter.
    /// - Throws: a `ValidationError` if it cannot be read; a system without resources is not an error of the command
    ///   line.
    mutating func read(_ path: String, _ what: String) throws -> [UInt8] {
        do throws(SystemCalls.Failure) {
            return try files.read(path)
        } catch  where error.isDescriptorShortage {
            throw Startup.refuse(error, log)
        } catch {
            throw ValidationError("\(what) “\(path)” cannot be read: \(error.text).")
        }
    }

    /// Reads the topics; `-` means standard input.
    mutating func topics(_ path: String) throws -> [UInt8] {
        guard path == "-" else { return try read(path, "The topics file") }
        do throws(SystemCalls.Failure) {
            return try SystemCalls.readStandardInput(maxByteCount: InputFiles.maxByteCount)
        } catch {
            throw ValidationError("The topics cannot be read from standard input: \(error.text).")
        }
    }

    /// Reads certificates to trust instead of the system's.
    mutating func trust(_ path: String) throws -> TLSConfiguration.Trust {
        .contents(try read(path, "The CA file"), ofFile: path)
    }
}
