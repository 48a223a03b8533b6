internal import GenesysLoop

/// The file of the records that the engine refused for good. Everything that may block happens on a thread of its own.
final class DeadLetterFile {
    /// The most bytes that wait for the thread.
    private static let limit = 4 << 20

    private let loop: UVLoop
    private let file: LineFileThread
    private var waitingBytes = 0
    private(set) var writtenCount = 0
    /// Called with the reason of a failure.
    private var didFail: ((String) -> Void)?

    init(path: String, on loop: UVLoop) throws(UVLoopError) {
        self.loop = loop
        file = try LineFileThread(LineFile(path: path, isSynchronized: true), name: "dead-letters", on: loop)
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
        file.perform(for: self) { file throws(LineFile.Failure) in
            try file.reopen()
        } then: { [completion = LoopBound(completion, on: loop)] _, result in
            completion.value(result.reason)
        }
    }

    /// Ends, when what was given is written.
    func close(completion: @escaping () -> Void) { file.close(completion: completion) }

    /// Nothing is reported anymore.
    func silence() { didFail = nil }

    private func perform(
        count: Int, _ work: @escaping @Sendable (inout LineFile) throws(LineFile.Failure) -> Void
    ) {
        file.perform(for: self, work) { letters, result in
            letters.waitingBytes -= count
            if let reason = result.reason {
                letters.didFail?(reason)
            } else if count > 0 {
                letters.writtenCount += 1
            }
        }
    }
}
