package import GenesysLoop

/// Records as lines of JSON, appended to a file or to standard output.
///
/// Everything that may block happens on a thread of its own. Each start begins a new epoch behind the last line. A file
/// that is moved away is made again after `reopen()`, and the epoch goes on in the new one. One sink writes a file: it
/// is locked, and the failure of another one is `held`.
package final class FileSink: RelaySink {
    package weak var delegate: (any RelaySinkDelegate)?
    private let loop: UVLoop
    private let file: LineFileThread
    /// Counts what makes all that is under way meaningless: opening, and a refusal that was reported.
    private var generation = 0
    /// The generation whose first failure was met; the rest of it is not written.
    private let failed = Locked(-1)
    private var last: StreamHead?
    private let description: EngineDescription
    /// The answers that the loop waits for; it does not wait for those of a reader that never reads.
    private var awaitedCount = 0
    private var isClosed = false

    /// Creates a sink; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - path: nil for standard output.
    ///   - isSynchronized: each batch is on the disk before it counts as stored. Otherwise the system writes it, and a
    ///     loss of power may lose the last seconds.
    /// - Throws: `UVLoopError` if there are no resources for a thread.
    /// - Precondition: called on `loop`'s thread.
    package init(path: String?, isSynchronized: Bool = false, on loop: UVLoop) throws(UVLoopError) {
        self.loop = loop
        file = try LineFileThread(
            LineFile(path: path, isSynchronized: isSynchronized), name: "relay-file", on: loop)
        description = EngineDescription(file: path, isSynchronized: isSynchronized)
    }

    package func open(after last: RecordID?) {
        generation += 1
        perform { file throws(LineFile.Failure) in
            try file.open()
        } then: { sink, result in
            switch result {
            case .success(let tail):
                sink.delegate?.sink(sink, didOpen: sink.description, head: sink.last ?? FileSink.head(tail))
            case .failure(let failure): sink.report(failure)
            }
        }
    }

    package func append(_ batch: RelayBatch) {
        let generation = generation
        let failed = failed
        perform { file throws(LineFile.Failure) in
            guard failed.withLock({ $0 != generation }) else { return false }
            var lines: [UInt8] = []
            batch.appendLines(to: &lines)
            do throws(LineFile.Failure) {
                try file.append(lines)
            } catch {
                failed.withLock { $0 = generation }
                throw error
            }
            return true
        } then: { sink, result in
            switch result {
            case .success(true):
                sink.last = StreamHead(last: batch.last, owner: batch.owner, coveredUntil: batch.coveredUntil)
                sink.delegate?.sink(sink, didStoreThrough: batch.last)
            case .success(false): break
            case .failure(let failure) where failure.isFinal: sink.report(failure)
            case .failure(let failure):
                // What was given until now is not written.
                sink.generation += 1
                sink.delegate?.sink(sink, didRefuse: batch.first.sequence, .busy(failure.reason))
            }
        }
    }

    /// Opens the file again by its path: it was moved away. If that fails the old one stays.
    ///
    /// - Parameter completion: gets the reason of a failure; not called if the sink is closed before.
    package func reopen(completion: @escaping (String?) -> Void = { _ in }) {
        guard !isClosed else { return }
        perform { file throws(LineFile.Failure) in
            try file.reopen()
        } then: { [completion = LoopBound(completion, on: loop)] _, result in
            completion.value(result.reason)
        }
    }

    package func close(coveredUntil: WallTime?, isReleased: Bool, completion: @escaping () -> Void) {
        delegate = nil
        isClosed = true
        for _ in 0..<awaitedCount { loop.unhold() }
        file.close(completion: completion)
    }

    private func report(_ failure: LineFile.Failure) {
        if failure.isFinal {
            delegate?.sink(self, didFail: RelaySinkFailure(failure.kind, failure.reason))
        } else {
            delegate?.sink(self, didLose: failure.reason)
        }
    }

    /// Does `work` on the thread of the file, and calls `then` on the loop's, which waits for it.
    private func perform<Value: Sendable>(
        _ work: @escaping @Sendable (inout LineFile) throws(LineFile.Failure) -> Value,
        then: @escaping @Sendable (FileSink, Result<Value, LineFile.Failure>) -> Void
    ) {
        awaitedCount += 1
        loop.hold()
        file.perform(for: self, work) { sink, result in
            guard !sink.isClosed else { return }
            sink.awaitedCount -= 1
            sink.loop.unhold()
            then(sink, result)
        }
    }

    /// The head that the last line of a file tells.
    ///
    /// With the receipt of its record everything before it is covered; an epoch or alive record says so itself. Whether
    /// the earlier writer ended by itself only a torn line shows.
    static func head(_ tail: LineFile.Tail) -> StreamHead? {
        guard let line = tail.line else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        guard text.hasPrefix("{"), let id = value("id", in: text).flatMap({ RecordID($0) }) else { return nil }
        let isOwn = ["genesys.epoch", "genesys.alive"].contains(value("type", in: text))
        let covered = (isOwn ? value("coveredUntil", in: text) : nil) ?? value("time", in: text)
        return StreamHead(
            last: id, owner: "", coveredUntil: covered.flatMap { WallTime(microsecondText: $0) },
            isReleased: !tail.wasTorn)
    }

    /// The first text with this name in a line.
    private static func value(_ name: String, in line: String) -> Substring? {
        guard let start = line.firstRange(of: "\"\(name)\":\"")?.upperBound else { return nil }
        return line[start...].prefix { $0 != "\"" }
    }
}

extension EngineDescription {
    /// - Parameter path: nil for standard output.
    init(file path: String?, isSynchronized: Bool) {
        self.init(
            version: path == nil ? "standard output" : "file",
            durability: path == nil ? "none" : isSynchronized ? "fsync" : "system")
    }
}
