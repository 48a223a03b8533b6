import ArgumentParser
import GenesysLoop
import Logging
import ToolSupport

/// The files of options. Each is read once, although several options may name it.
struct OptionFiles {
    private var files = InputFiles()
    /// The files for TLS among them.
    private(set) var tls = RereadableFiles()
    private let log: EventLog
    private let level: Logger.Level

    /// The longest secret: more than a URI may have.
    private static let maxSecretByteCount = 65_536

    /// - Parameter level: of the warnings about files.
    init(log: EventLog, level: Logger.Level = .warning) {
        self.log = log
        self.level = level
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

    /// Reads a secret that stands alone on one line; `-` means standard input.
    ///
    /// Warns about a file that other users can read, as psql and ssh do. It is used all the same: a container has its
    /// secrets in such files, and no other users.
    ///
    /// - Parameters:
    ///   - what: a description of the file, with a capital letter.
    ///   - option: the option that names it.
    /// - Throws: a `ValidationError` that never shows the contents.
    func secret(_ path: String, _ what: String, of option: String) throws -> Secret {
        let (bytes, name) = try readSecret(path, what, of: option)
        return try Secret(bytes, from: name)
    }

    private func readSecret(
        _ path: String, _ what: String, of option: String
    ) throws -> (bytes: [UInt8], name: String) {
        let name = path == "-" ? "Standard input (\(option) -)" : "\(what) “\(path)”"
        do throws(SystemCalls.Failure) {
            let (bytes, isExposed) =
                path == "-"
                ? (try SystemCalls.readSecretFromStandardInput(maxByteCount: OptionFiles.maxSecretByteCount), false)
                : try SystemCalls.readSecret(path, maxByteCount: OptionFiles.maxSecretByteCount)
            if isExposed {
                EventLogHandler.logger(log, level).warning(
                    "\(name) can be read by other users: take that right away with chmod 600.")
            }
            return (bytes, name)
        } catch  where error.isDescriptorShortage {
            throw Startup.refuse(error, log)
        } catch {
            throw ValidationError("\(name) cannot be read: \(error.text).")
        }
    }

    /// Reads certificates to trust instead of the system's.
    mutating func trust(_ path: String) throws -> TLSConfiguration.Trust {
        let contents = try read(path, "The CA file")
        return tls.add(path) ? .file(path) : .contents(contents, ofFile: path)
    }

    /// Reads a certificate, or its key.
    mutating func identity(_ path: String, _ what: String) throws -> ClientIdentity.Source {
        let contents = try read(path, what)
        return tls.add(path) ? .file(path) : .contents(contents, ofFile: path)
    }
}
