import GenesysLoop

/// Finds all addresses of a name, and whether each accepts a TCP connection.
///
///     idle ──▶ following the channel's own attempts ──▶ completing ──▶ over
///                                  └── none accepted ──────────────────▲
///
/// The channel's connection uses the first address that accepts. What it left open, the look-up of a family or an
/// address, the survey tries afterwards; nothing that the channel has a result of is tried again.
final class AddressSurvey {
    /// Nil until the look-up begins.
    private(set) var findings: AddressFindings?
    /// Called once, when nothing is left to be found.
    var didEnd: () -> Void = {}

    private let loop: UVLoop
    private let deadlines: Deadlines
    private var isOver = false
    private var startedAt = Instant(nanoseconds: 0)
    private var attemptStarts: [SocketAddress: Instant] = [:]
    private var resolution: Resolution?
    private var connections: [(address: SocketAddress, connection: TCPConnection)] = []
    private var timer: LoopTimer?

    init(loop: UVLoop, deadlines: Deadlines) {
        self.loop = loop
        self.deadlines = deadlines
    }

    deinit { release() }

    // MARK: - The channel's own attempts

    func begin(host: String, port: UInt16, isProxy: Bool) {
        startedAt = loop.now.instant
        findings = AddressFindings(host: host, port: port, isProxy: isProxy)
    }

    /// An answer of the channel's own look-up, or of one of the survey.
    func lookedUp(_ family: AddressFamily, _ result: Result<[SocketAddress], ResolverError>) {
        findings?.answered(family, result, after: loop.now.instant - startedAt)
    }

    func startedAttempt(at address: SocketAddress) {
        attemptStarts[address] = loop.now.instant
    }

    /// An attempt of the channel, or of the survey, accepted (nil) or failed.
    func endedAttempt(at address: SocketAddress, _ error: UVError?) {
        findings?.tried(address, error.map { .refused($0.text) } ?? .accepted, after: age(of: address))
    }

    private func age(of address: SocketAddress) -> Duration {
        attemptStarts[address].map { loop.now.instant - $0 } ?? .zero
    }

    // MARK: - The rest

    /// The channel has its connection: finds the rest.
    func complete() {
        guard let findings, !isOver else { return }
        if !findings.isResolved {
            resolution = loop.resolver.resolve(findings.host, port: findings.port, owner: self)
        }
        tryRest()
        let limit = max(deadlines.connect, resolution == nil ? .zero : deadlines.dns)
        timer = loop.schedule(after: limit) { [unowned self] in end() }
        endIfComplete()
    }

    private func tryRest() {
        let known = connections.map(\.address)
        for address in findings?.untried ?? [] where !known.contains(address) {
            let connection = TCPConnection(loop: loop, group: HandleGroup(loop: loop), owner: self)
            connections.append((address, connection))
            startedAttempt(at: address)
            connection.connect(to: address)
        }
    }

    // MARK: - The end

    private func endIfComplete() {
        guard let findings, resolution == nil, findings.isResolved, findings.untried.isEmpty else { return }
        end()
    }

    /// No more can be found: the time is over, or no address accepted the channel's connection.
    func end() {
        guard !isOver else { return }
        isOver = true
        for address in findings?.untried ?? [] { findings?.tried(address, .silent, after: age(of: address)) }
        findings?.lookupEnded(after: loop.now.instant - startedAt)
        release()
        didEnd()
    }

    /// The user gave up: nothing more is reported.
    func abandon() {
        isOver = true
        release()
    }

    private func release() {
        timer?.cancel()
        timer = nil
        resolution?.cancel()
        resolution = nil
        for (_, connection) in connections { connection.close() }
        connections = []
    }
}

extension AddressSurvey: ResolutionOwner {
    func resolution(
        _ resolution: Resolution, didEnd family: AddressFamily, with result: Result<[SocketAddress], ResolverError>
    ) {
        if resolution.isOver { self.resolution = nil }
        lookedUp(family, result)
        tryRest()
        endIfComplete()
    }
}

extension AddressSurvey: TCPConnectionOwner {
    func connectionDidConnect(_ connection: TCPConnection) {
        ended(connection, nil)
    }

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        ended(connection, error)
    }

    private func ended(_ connection: TCPConnection, _ error: UVError?) {
        guard let index = connections.firstIndex(where: { $0.connection === connection }) else { return }
        let address = connections.remove(at: index).address
        connection.close()
        endedAttempt(at: address, error)
        endIfComplete()
    }

    // A connection is closed as soon as it is established.
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {}
    func connectionDidReachEOF(_ connection: TCPConnection) {}
    func connection(_ connection: TCPConnection, didFailWith error: UVError) {}
    func connectionDidDrain(_ connection: TCPConnection) {}
}
