import GenesysLoop
import ToolSupport

/// The files of the options for TLS: which of them can be read again.
struct RereadableFiles: Sendable {
    /// Why they are not read again; a sentence.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// For the key among them.
    let passphrase = KeyPassphrase()
    /// Files that can be read again by their path.
    private(set) var regular: [String] = []
    /// All others; they were read once.
    private(set) var pipes: [String] = []

    var isEmpty: Bool { regular.isEmpty && pipes.isEmpty }

    /// Adds a file.
    ///
    /// - Returns: whether it can be read again.
    mutating func add(_ path: String) -> Bool {
        let isRegular = FileKind(path) == .regular
        if isRegular {
            regular.append(path)
        } else if !pipes.contains(path) {
            pipes.append(path)
        }
        return isRegular
    }

    /// Reads all files again. Any thread; may block.
    func read(_ files: TLSFiles) throws(Unusable) -> TLSFiles.Contents {
        // A pipe that has taken the place of a file could be waited for without end.
        for path in regular {
            // What is missing is named by the error of reading it.
            guard let kind = FileKind(path), kind != .regular else { continue }
            throw Unusable(description: "“\(path)” is no longer a regular file.")
        }
        do throws(ChannelFailure) {
            return try files.read()
        } catch {
            throw Unusable(description: error.underlying?.text ?? error.description)
        }
    }
}
