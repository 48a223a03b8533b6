internal import GenesysLoop

/// The file of the records that the engine refused for good. Everything that may block happens on a thread of its own.
final class DeadLetterFile {
    /// The most bytes that wait for the thread.
    private static let limit = 4 << 20

    private let loop: UVLoop
    private let thread: LoopThread
    private let file: Locked<LineFile>
    private var waitingBytes = 0
    private(set) var writtenCount = 0
    /// Called with the reason of a failure.
    private var didFail: ((String) -> Void)?

    init(path: String, on loop: UVLoop) throws(UVLoopError) {
        self.loop = loop
        thread = try LoopThread(name: "dead-letters")
        file = Locked(LineFile(path: path, isSynchronized: true))
    }

    /// Opens the file, so that a wrong path is known before the first letter.
    func open(didFail: @escaping (String) -> Void) {
        self.didFail = didFail
        perform(count: 0) { file throws(LineFile.Failure) in _ = try file.open() }
    }

    /// Appends a line, unless too many bytes wait.
    func append(_ line: [UInt8]) {
        guard waitingBytes == 0 || waitingBytes + line.count <= DeadLetterFile.limit else {
            didFail?("too many bytes wait for the file of dead letters.")
            return
        }
        waitingBytes += line.count
        perform(count: line.count) { file throws(LineFile.Failure) in try file.append(line) }
    }

    /// Opens the file again by its path. If that fails the old one stays.
    ///
    /// - Parameter completion: gets the reason of a failure.
    func reopen(completion: @escaping (String?) -> Void) {
        let completion = LoopBound(completion, on: loop)
        thread.execute { [file] in
            let reason = file.withLock { file -> String? in
                do throws(LineFile.Failure) {
                    try file.reopen()
                    return nil
                } catch {
                    return error.reason
                }
            }
            completion.execute { $0(reason) }
        }
    }

    /// Ends, when what was given is written.
    func close(completion: @escaping () -> Void) {
        let completion = LoopBound(completion, on: loop)
        thread.execute { [file] in
            file.withLock { $0.close() }
            completion.execute { $0() }
        }
    }

    /// Nothing is reported anymore.
    func silence() { didFail = nil }

    private func perform(
        count: Int, _ work: @escaping @Sendable (inout LineFile) throws(LineFile.Failure) -> Void
    ) {
        let letters = LoopBound(self, on: loop)
        thread.execute { [file] in
            let failure = file.withLock { file -> LineFile.Failure? in
                do throws(LineFile.Failure) {
                    try work(&file)
                    return nil
                } catch {
                    return error
                }
            }
            letters.execute { letters in
                letters.waitingBytes -= count
                if let failure {
                    letters.didFail?(failure.reason)
                } else if count > 0 {
                    letters.writtenCount += 1
                }
            }
        }
    }
}
