/// Who hears from a `Connector`.
///
/// Either call is the last, and comes inside a pass of the loop.
protocol ConnectorOwner: AnyObject {
    /// One address answered; the connection is the owner's from now on.
    func connector(_ connector: Connector, didConnect connection: TCPConnection)

    /// None did; `tried` says why of each.
    func connector(_ connector: Connector, didFailWith error: UVError, tried: [String])
}

/// Connects to the first of several addresses that answers ("happy eyeballs", RFC 8305).
///
/// An address that neither answers nor refuses delays the others by 250 ms and no more: the next is tried beside it.
/// Whatever is under way when one has answered, or when the last reference is dropped, is closed. Its owner's deadline
/// bounds all of it.
@safe final class Connector: TCPConnectionOwner, TimerOwner {
    private let loop: EventLoop
    private let group: HandleGroup
    /// Unretained: must be set to nil, or the connector cancelled or dropped, before the owner dies.
    private unowned(unsafe) var owner: (any ConnectorOwner)?
    private var race: AddressRace
    private var attempts: [(address: SocketAddress, connection: TCPConnection)] = []
    private var failures: [String] = []
    /// Made when there is a second address to wait for.
    private var timer: Timer?

    init(_ addresses: [SocketAddress], loop: EventLoop, group: HandleGroup, owner: any ConnectorOwner) {
        race = AddressRace(addresses)
        self.loop = loop
        self.group = group
        unsafe self.owner = owner
    }

    deinit { cancel() }

    /// Begins. The outcome never comes from within this call.
    func start() {
        attempt(hasFailed: false)
    }

    /// Closes all that is under way; the owner hears nothing more.
    func cancel() {
        unsafe owner = nil
        timer?.close()
        timer = nil
        for attempt in attempts { attempt.connection.close() }
        attempts = []
    }

    /// What became of each address so far.
    var tried: [String] { failures + attempts.map { "\($0.address): no answer" } }

    /// Tries the next address if it is time, and sees to being woken for the one after it.
    private func attempt(hasFailed: Bool) {
        if let address = race.next(now: loop.now.instant, hasFailed: hasFailed) {
            let connection = TCPConnection(loop: loop, group: group, owner: self)
            attempts.append((address, connection))
            connection.connect(to: address)
        }
        guard let deadline = race.deadline else {
            timer?.stop()
            return
        }
        let timer = self.timer ?? Timer(loop: loop, group: group, owner: self)
        self.timer = timer
        timer.start(at: deadline)
    }

    func timerDidFire(_ timer: Timer) {
        attempt(hasFailed: false)
    }

    func connectionDidConnect(_ connection: TCPConnection) {
        guard let owner = unsafe owner else { return }
        attempts.removeAll { $0.connection === connection }
        // The others, and no call to anybody from here on but the last.
        cancel()
        unsafe connection.owner = nil
        owner.connector(self, didConnect: connection)
    }

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        guard let index = attempts.firstIndex(where: { $0.connection === connection }) else { return }
        failures.append("\(attempts.remove(at: index).address): \(error.text)")
        attempt(hasFailed: true)
        guard attempts.isEmpty, let owner = unsafe owner else { return }
        cancel()
        owner.connector(self, didFailWith: error, tried: failures)
    }

    // An attempt is handed on before it is read from or written to.
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {}
    func connectionDidReachEOF(_ connection: TCPConnection) {}
    func connection(_ connection: TCPConnection, didFailWith error: UVError) {}
    func connectionDidDrain(_ connection: TCPConnection) {}
}
