/// Lets the links of a loop connect in turns: so many at a time, first come, first served.
///
/// A host that opens thousands of channels at once would overrun the listener's backlog, and as all handshakes share
/// one thread, each would take as long as all of them: longer than its deadlines. The deadlines of a link begin with
/// its turn, and its turn ends when it is open or has failed.
final class ConnectLimiter {
    /// How many links of a loop connect at a time.
    static let defaultLimit = 64

    /// How many may connect at a time. Changed by tests.
    var limit = ConnectLimiter.defaultLimit
    /// Those that are connecting.
    private(set) var count = 0
    private var waiting = Fifo<LinkEstablishment>()

    /// Begins the establishment, now or when it is its turn.
    func enter(_ establishment: LinkEstablishment) {
        waiting.append(establishment)
        beginNext()
    }

    /// A turn is over.
    func leave() {
        count -= 1
        beginNext()
    }

    private func beginNext() {
        while count < limit, let establishment = waiting.popFirst() {
            // The link may have been dropped while it waited.
            guard let link = unsafe establishment.link else { continue }
            count += 1
            establishment.hasTurn = true
            link.begin(establishment)
        }
    }
}

extension UVLoop {
    /// The turns of this loop's links.
    var connectLimiter: ConnectLimiter {
        shared(ObjectIdentifier(ConnectLimiter.self)) { ConnectLimiter() }
    }
}
