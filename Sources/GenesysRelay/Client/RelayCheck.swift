package import GenesysLoop

/// Reads what an engine says about itself, and its lease, and writes nothing.
package final class RelayCheck {
    /// What was found.
    package struct Findings: Sendable {
        package var engine: RelayEngine
        /// Nil if there is none, or if the engine keeps none.
        package var lease: LeaseRecord?
        /// Whether the engine keeps one.
        package var hasLease = false
        /// Whether another relay writes the file.
        package var isHeld = false
    }

    private let loop: UVLoop
    private let target: RelayTarget
    private let sink: (any RelaySink)?
    private var completion: ((Result<Findings, RelayFailure>) -> Void)?
    private var findings: Findings?
    private var timer: LoopTimer?

    /// - Throws: `RelayError` as `Relay.init`.
    package init(
        name: String, target: RelayTarget, on loop: UVLoop, configuration: RelayConfiguration
    ) throws(RelayError) {
        try Relay.check(name: name)
        try configuration.check()
        self.loop = loop
        self.target = target
        // Opening a file would make it, or cut its last line.
        sink = target.isEngine ? try target.sink(name: name, configuration, on: loop) : nil
    }

    /// Looks once.
    ///
    /// - Parameter limit: how long that may take.
    package func start(limit: Duration?, completion: @escaping (Result<Findings, RelayFailure>) -> Void) {
        guard let sink else { return completion(target.look(asksForLock: true)) }
        self.completion = completion
        sink.delegate = self
        loop.hold()
        if let limit {
            timer = loop.schedule(after: limit) { [self] in
                end(.failure(RelayFailure(.unreachable, "The engine cannot be reached: it does not answer.")))
            }
        }
        sink.open(after: nil)
    }

    /// Gives the check up.
    package func cancel() {
        end(.failure(RelayFailure(.unreachable, "The check was interrupted.")))
    }

    private func end(_ result: Result<Findings, RelayFailure>) {
        guard let completion else { return }
        self.completion = nil
        timer?.cancel()
        sink?.delegate = nil
        sink?.close(coveredUntil: nil, isReleased: false) {}
        loop.unhold()
        completion(result)
    }
}

extension RelayCheck: RelayLeaseStoreDelegate {
    package func sink(_ sink: any RelaySink, didOpen engine: EngineDescription, head: StreamHead?) {
        let found = Findings(engine: RelayEngine(engine, head))
        guard let store = sink as? any RelayLeaseStore else { return end(.success(found)) }
        findings = found
        store.readLease()
    }

    package func sink(_ sink: any RelayLeaseStore, didReadLease lease: LeaseRecord?, head: StreamHead?) {
        guard var findings else { return }
        findings.lease = lease
        findings.hasLease = true
        end(.success(findings))
    }

    package func sink(_ sink: any RelaySink, didLose reason: String) {
        end(.failure(RelayFailure(.unreachable, "The engine cannot be reached: \(reason)")))
    }

    package func sink(_ sink: any RelaySink, didFail failure: RelaySinkFailure) {
        end(.failure(RelayFailure(RelayFailure.Reason(failure.kind), failure.reason)))
    }

    package func sink(_ sink: any RelaySink, didStoreThrough id: RecordID) {}
    package func sink(_ sink: any RelaySink, didRefuse sequence: UInt64, _ refusal: RelayMachine.Refusal) {}
    package func sink(
        _ sink: any RelayLeaseStore, didReplaceLease isReplaced: Bool, current: LeaseRecord?, head: StreamHead?
    ) {}
}

extension RelayEngine {
    init(_ engine: EngineDescription, _ head: StreamHead?) {
        self.init(
            version: engine.version, durability: engine.durability, warnings: engine.warnings,
            lastStored: head?.last.description)
    }
}

extension RelayFailure {
    fileprivate init(_ reason: Reason, _ message: String) {
        self.init(reason: reason, message: message, undeliveredCount: 0)
    }
}

extension RelayTarget {
    /// Finds out whether a file can be written, without making it. May block.
    package func checkFile() throws(RelayError) {
        if !isEngine, case .failure(let failure) = look() { throw RelayError(failure.message) }
    }

    /// What is known of a file, or of standard output. May block.
    fileprivate func look(asksForLock: Bool = false) -> Result<RelayCheck.Findings, RelayFailure> {
        let path: String? = if case .file(let path) = kind { path } else { nil }
        let description = EngineDescription(file: path, isSynchronized: false)
        do throws(LineFile.Failure) {
            let tail = try LineFile(path: path, isSynchronized: false).look(asksForLock: asksForLock)
            return .success(.init(engine: RelayEngine(description, FileSink.head(tail)), isHeld: tail.isHeld))
        } catch {
            return .failure(RelayFailure(.outputFailed, error.reason))
        }
    }
}
