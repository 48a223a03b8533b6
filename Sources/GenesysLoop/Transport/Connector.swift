/// Who hears from a `Connector`. Every call comes inside a pass of the loop.
protocol ConnectorOwner: AnyObject {
    /// The host has addresses, and the first is about to be tried.
    func connectorDidFindAddress(_ connector: Connector)

    // Each of these is the last call.

    /// One address answered; the connection is the owner's from now on.
    func connector(_ connector: Connector, didConnect connection: TCPConnection, to address: SocketAddress)

    /// None did; `tried` says why of each.
    func connector(_ connector: Connector, didFailWith error: UVError, tried: [String])

    /// The host has no address that is known.
    func connector(_ connector: Connector, didFailToResolve error: ResolverError)
}

/// Looks a host up and connects to the first of its addresses that answers ("happy eyeballs", RFC 8305).
///
/// An address that neither answers nor refuses delays the others by 250 ms and no more: the next is tried beside it. A
/// family that is not found in time delays the other by 50 ms at most, and that one fails is of no interest where the
/// other has addresses. Whatever is under way when an address has answered, or when the last reference is dropped, is
/// closed. Its owner's deadlines bound all of it.
@safe final class Connector: ResolutionOwner, TCPConnectionOwner, TimerOwner {
    private let loop: UVLoop
    private let group: HandleGroup
    /// Unretained: must be set to nil, or the connector cancelled or dropped, before the owner dies.
    private unowned(unsafe) var owner: (any ConnectorOwner)?
    private var resolution: Resolution?
    private var race = AddressRace()
    private var hasBegun = false
    private var attempts: [(address: SocketAddress, connection: TCPConnection)] = []
    private var failures: [String] = []
    private var lastError: UVError?
    private var unresolved: [(family: AddressFamily, error: ResolverError)] = []
    /// Made when there is something to wait for.
    private var timer: Timer?

    init(loop: UVLoop, group: HandleGroup, owner: any ConnectorOwner) {
        self.loop = loop
        self.group = group
        unsafe self.owner = owner
    }

    deinit { cancel() }

    /// Begins. Nothing is ever told from within this call.
    ///
    /// - Parameter memory: which addresses come first, and which last.
    func start(host: String, port: UInt16, memory: AddressMemory) {
        race = AddressRace(memory: memory)
        resolution = loop.resolver.resolve(host, port: port, owner: self)
    }

    /// Ends all that is under way; the owner hears nothing more.
    func cancel() {
        unsafe owner = nil
        resolution?.cancel()
        resolution = nil
        timer?.close()
        timer = nil
        for attempt in attempts { attempt.connection.close() }
        attempts = []
    }

    /// What became of each address so far.
    var tried: [String] {
        failures + attempts.map { "\($0.address): no answer" } + familiesWithoutAnswer
    }

    /// Why no address is known yet; nil when nothing is looked up.
    var silence: String? { resolution?.silence }

    /// Where a family could not be looked up at the moment, its addresses might have helped.
    private var familiesWithoutAnswer: [String] {
        let failed = unresolved.filter { !$0.error.isNoSuchName }.map { "\($0.family) addresses: \($0.error.text)" }
        return failed + (silence.map { ["further addresses: \($0)"] } ?? [])
    }

    func resolution(
        _ resolution: Resolution, didEnd family: AddressFamily, with result: Result<[SocketAddress], ResolverError>
    ) {
        let isLast = resolution.isOver
        if isLast { self.resolution = nil }
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

    /// Tries the next address if it is time, sees to being woken for the one after it, and ends when there is none.
    private func proceed() {
        if let address = race.next(now: loop.now.instant) {
            if !hasBegun {
                hasBegun = true
                unsafe owner?.connectorDidFindAddress(self)
                guard unsafe owner != nil else { return }
            }
            let connection = TCPConnection(loop: loop, group: group, owner: self)
            attempts.append((address, connection))
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

    func timerDidFire(_ timer: Timer) {
        proceed()
    }

    func connectionDidConnect(_ connection: TCPConnection) {
        guard let owner = unsafe owner, let index = attempts.firstIndex(where: { $0.connection === connection })
        else { return }
        let address = attempts.remove(at: index).address
        // The others, and no call to anybody from here on but the last.
        cancel()
        unsafe connection.owner = nil
        owner.connector(self, didConnect: connection, to: address)
    }

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        guard let index = attempts.firstIndex(where: { $0.connection === connection }) else { return }
        let address = attempts.remove(at: index).address
        let hint = address.lacksZone ? " (an address of one link needs a zone, such as %25eth0)" : ""
        failures.append("\(address): \(error.text)\(hint)")
        lastError = error
        race.attemptDidFail()
        proceed()
    }

    // An attempt is handed on before it is read from or written to.
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {}
    func connectionDidReachEOF(_ connection: TCPConnection) {}
    func connection(_ connection: TCPConnection, didFailWith error: UVError) {}
    func connectionDidDrain(_ connection: TCPConnection) {}
}
