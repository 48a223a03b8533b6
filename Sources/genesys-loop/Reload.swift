import GenesysLoop
import Logging
import ToolSupport

/// What SIGHUP causes: the file of `--output` is opened again, the TLS files and the token are read again.
///
/// Requests that come while files are read are one. Files are opened and read by other threads; all else runs on the
/// loop's thread.
final class Reload {
    private let loop: UVLoop
    private let log: EventLog
    /// Nil where something else writes.
    private let writer: LineWriter?
    private let files: RereadableFiles
    private let tokens: TokenSupply?
    /// Called when the last one of the files is open, or read.
    private let didEnd: () -> Void
    private var waitsForOutput = false
    private var isReading = false
    private var mustReadAgain = false
    private var hasNamedPipes = false

    init(
        on loop: UVLoop, log: EventLog, writer: LineWriter?, files: RereadableFiles, tokens: TokenSupply?,
        didEnd: @escaping () -> Void
    ) {
        self.loop = loop
        self.log = log
        self.writer = writer
        self.files = files
        self.tokens = tokens
        self.didEnd = didEnd
    }

    /// The files were read for the first time: from now on no one is asked for a passphrase.
    func startIsOver() { files.passphrase.stopAsking() }

    /// SIGHUP came.
    ///
    /// - Parameter hasFiles: whether the command opens files of its own again; `filesDidReopen` follows.
    func start(hasFiles: Bool = false) {
        let readsTLS = !files.isEmpty && !loop.tlsFiles.isEmpty
        let readsToken = tokens?.canRead ?? false
        let output = writer.flatMap { $0.canReopen ? $0 : nil }
        if output == nil, !hasFiles, !readsTLS, !readsToken {
            let file = writer == nil ? "a file to write to" : "--output"
            log.write(.log(.notice, "SIGHUP: without \(file) and files for TLS there is nothing to do."))
        }
        if readsToken { tokens?.readAgain() }
        if output != nil || hasFiles { waitsForOutput = true }
        output?.reopen()
        if readsTLS { readTLS() }
        endIfDone()
    }

    // MARK: - Output

    /// The writer reports that the file is open, or why it is not.
    func outputDidReopen(_ failure: SystemCalls.Failure?) {
        guard let writer else { return }
        if let failure {
            log.write(
                .log(
                    .warning,
                    "\(writer.name) cannot be opened again: \(failure.text). What was open is still written to."))
        } else {
            log.write(.log(.notice, "\(writer.name) is opened again."))
        }
        waitsForOutput = false
        endIfDone()
    }

    /// The command's own files are open, or stay as they were.
    func filesDidReopen(_ failures: [String]) {
        for failure in failures { log.write(.log(.warning, "\(failure) What was open is still written to.")) }
        if failures.isEmpty { log.write(.log(.notice, "The files that are written to are opened again.")) }
        waitsForOutput = false
        endIfDone()
    }

    // MARK: - TLS

    private func readTLS() {
        if !hasNamedPipes, !files.pipes.isEmpty {
            hasNamedPipes = true
            let names = files.pipes.map { "“\($0)”" }.joined(separator: ", ")
            log.write(.log(.warning, "No regular file, so it cannot be read again, and its content stays: \(names)."))
        }
        guard !files.regular.isEmpty else { return }
        guard !isReading else {
            mustReadAgain = true
            return
        }
        let bound = LoopBound(self, on: loop)
        let (files, tlsFiles) = (self.files, loop.tlsFiles)
        do throws(SystemCalls.Failure) {
            isReading = true
            try DetachedThread.start {
                let result = Result { () throws(RereadableFiles.Unusable) in try files.read(tlsFiles) }
                bound.execute { $0.didRead(result) }
            }
        } catch {
            didRead(.failure(.init(description: "\(error)")))
        }
    }

    private func didRead(_ result: Result<TLSFiles.Contents, RereadableFiles.Unusable>) {
        isReading = false
        switch result {
        case .success(let contents):
            loop.use(contents)
            log.write(.log(.notice, "The files for TLS are read again; the next connection uses them."))
        case .failure(let error):
            log.write(.log(.warning, "The files for TLS stay as they were read before: \(error)"))
        }
        if mustReadAgain {
            mustReadAgain = false
            readTLS()
        }
        endIfDone()
    }

    private func endIfDone() {
        if !waitsForOutput, !isReading { didEnd() }
    }
}
