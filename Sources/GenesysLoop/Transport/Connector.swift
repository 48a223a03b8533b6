/// Receives the results of a `Connector`. Every call comes inside a pass of the loop.
package protocol ConnectorOwner: AnyObject {
    /// The host has an address, and the first attempt is about to start.
    func connectorDidFindAddress(_ connector: Connector)

    // Each of the following is the last call.

    /// An address accepted; the connection belongs to the owner from now on.
    func connector(_ connector: Connector, didConnect connection: TCPConnection, to address: SocketAddress)

    /// No address accepted; `tried` has the result of each.
    func connector(_ connector: Connector, didFailWith error: UVError, tried: [String])

    /// The host has no known address.
    func connector(_ connector: Connector, didFailToResolve error: ResolverError)
}

/// Resolves a host and connects to the first address that accepts ("happy eyeballs", RFC 8305).
///
/// An address that does not answer delays the others by at most 250 ms: then the next is tried beside it. A family
/// whose look-up is slow delays the other by at most 50 ms, and its failure does not matter if the other has addresses.
/// All other attempts are closed when an address has accepted, or when the last reference is dropped. The owner's
/// deadlines limit the whole.
@safe package final class Connector: ResolutionOwner, TCPConnectionOwner, TimerOwner {
    private let loop: UVLoop
    private let group: HandleGroup
    /// Unretained: must be set to nil, or the connector canceled or dropped, before the owner is deallocated.
    private unowned(unsafe) var owner: (any ConnectorOwner)?
    private var resolution: Resolution?
    private var race = AddressRace()
    private var observer: (any LinkObserver)?
    private var hasBegun = false
    private var attempts: [(address: SocketAddress, connection: TCPConnection)] = []
    private var failures: [String] = []
    private var lastError: UVError?
    private var unresolved: [(family: AddressFamily, error: ResolverError)] = []
    /// Made at the first wait.
    private var timer: Timer?

    package init(loop: UVLoop, group: HandleGroup, owner: any ConnectorOwner) {
        self.loop = loop
        self.group = group
        unsafe self.owner = owner
    }

    deinit { cancel() }

    /// Starts. The owner is never called from within this call.
    ///
    /// - Parameters:
    ///   - memory: decides which addresses come first and last.
    ///   - observer: is told each answer of the look-up and the result of each attempt.
    func start(host: String, port: UInt16, memory: AddressMemory, observer: (any LinkObserver)?) {
        self.observer = observer
        race = AddressRace(memory: memory)
        resolution = loop.resolver.resolve(host, port: port, owner: self)
    }

    /// Starts without an observer.
    package func start(host: String, port: UInt16, memory: AddressMemory) {
        start(host: host, port: port, memory: memory, observer: nil)
    }

    /// Ends all attempts; the owner is no longer called.
    package func cancel() {
        unsafe owner = nil
        resolution?.cancel()
        resolution = nil
        timer?.close()
        timer = nil
        for attempt in attempts { attempt.connection.close() }
        attempts = []
    }

    /// The result of each address so far.
    package var tried: [String] {
        failures + attempts.map { "\($0.address): no answer" } + familiesWithoutAnswer
    }

    /// Why no address is known yet; nil without a look-up in progress.
    package var silence: String? { resolution?.silence }

    /// A family whose look-up failed for now might have had a better address.
    private var familiesWithoutAnswer: [String] {
        let failed = unresolved.filter { !$0.error.isNoSuchName }.map { "\($0.family) addresses: \($0.error.text)" }
        return failed + (silence.map { ["further addresses: \($0)"] } ?? [])
    }

    package func resolution(
        _ resolution: Resolution, didEnd family: AddressFamily, with result: Result<[SocketAddress], ResolverError>
    ) {
        let isLast = resolution.isOver
        if isLast { self.resolution = nil }
        observer?.link(didTake: .lookedUp(family, result))
        let now = loop.now.instant
        switch result {
        case .success(let addresses):
            race.found(addresses, of: family, isLast: isLast, now: now)
        case .failure(let error):
            unresolved.append((family, error))
            race.found([], of: family, isLast: isLast, now: now)
        }
        proceed()
    }

    /// Tries the next address if it is time, sets the timer for the one after it, and ends when there is none.
    private func proceed() {
        if let address = race.next(now: loop.now.instant) {
            if !hasBegun {
                hasBegun = true
                unsafe owner?.connectorDidFindAddress(self)
                guard unsafe owner != nil else { return }
            }
            let connection = TCPConnection(loop: loop, group: group, owner: self)
            attempts.append((address, connection))
            observer?.link(didTake: .startedAttempt(address))
            connection.connect(to: address)
        }
        if let deadline = race.deadline {
            let timer = self.timer ?? Timer(loop: loop, group: group, owner: self)
            self.timer = timer
            timer.start(at: deadline)
        } else {
            timer?.stop()
        }
        guard attempts.isEmpty, race.isExhausted, let owner = unsafe owner else { return }
        let tried = self.tried
        cancel()
        if let lastError {
            owner.connector(self, didFailWith: lastError, tried: tried)
        } else {
            owner.connector(self, didFailToResolve: .combined(unresolved))
        }
    }

    package func timerDidFire(_ timer: Timer) {
        proceed()
    }

    package func connectionDidConnect(_ connection: TCPConnection) {
        guard let owner = unsafe owner, let index = attempts.firstIndex(where: { $0.connection === connection })
        else { return }
        let address = attempts.remove(at: index).address
        observer?.link(didTake: .endedAttempt(address, nil))
        // Closes the other attempts. The only call from here on is the last one.
        cancel()
        unsafe connection.owner = nil
        owner.connector(self, didConnect: connection, to: address)
    }

    package func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        guard let index = attempts.firstIndex(where: { $0.connection === connection }) else { return }
        let address = attempts.remove(at: index).address
        observer?.link(didTake: .endedAttempt(address, error))
        let hint = address.lacksZone ? " (an address of one link needs a zone, such as %25eth0)" : ""
        failures.append("\(address): \(error.text)\(hint)")
        lastError = error
        race.attemptDidFail()
        proceed()
    }

    // The owner takes a connection over before the first read or write.
    package func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {}
    package func connectionDidReachEOF(_ connection: TCPConnection) {}
    package func connection(_ connection: TCPConnection, didFailWith error: UVError) {}
    package func connectionDidDrain(_ connection: TCPConnection) {}
}
