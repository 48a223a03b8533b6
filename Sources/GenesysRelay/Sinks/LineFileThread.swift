internal import GenesysLoop

/// A `LineFile` on a thread of its own, where its calls may block.
struct LineFileThread {
    private let loop: UVLoop
    private let thread: LoopThread
    private let file: Locked<LineFile>

    /// - Throws: `UVLoopError` if there are no resources for a thread.
    init(_ file: LineFile, name: String, on loop: UVLoop) throws(UVLoopError) {
        self.loop = loop
        thread = try LoopThread(name: name)
        self.file = Locked(file)
    }

    /// Does `work` on the thread of the file, and calls `then` on the loop's.
    func perform<Owner: AnyObject, Value: Sendable>(
        for owner: Owner, _ work: @escaping @Sendable (inout LineFile) throws(LineFile.Failure) -> Value,
        then: @escaping @Sendable (Owner, Result<Value, LineFile.Failure>) -> Void
    ) {
        let owner = LoopBound(owner, on: loop)
        thread.execute { [file] in
            let result = file.withLock { file in
                Result { () throws(LineFile.Failure) in try work(&file) }
            }
            owner.execute { then($0, result) }
        }
    }

    /// Closes the file, when what was given is done.
    func close(completion: @escaping () -> Void) {
        let completion = LoopBound(completion, on: loop)
        thread.execute { [file] in
            file.withLock { $0.close() }
            completion.execute { $0() }
        }
    }
}

extension Result where Failure == LineFile.Failure {
    /// Why it failed; nil if it did not.
    var reason: String? { if case .failure(let failure) = self { failure.reason } else { nil } }
}
