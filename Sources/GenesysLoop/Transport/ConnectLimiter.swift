/// Limits how many links of a loop connect at the same time; the others wait in order of arrival.
///
/// A host that opens thousands of channels at once would overrun the listener's backlog. All handshakes share one
/// thread, so each would also take as long as all of them together, longer than its deadlines. The deadlines of a link
/// start with its turn, and its turn ends when it is open or has failed.
final class ConnectLimiter {
    /// The default number of links that connect at the same time.
    static let defaultLimit = 64

    /// The number of links that may connect at the same time. Tests change it.
    var limit = ConnectLimiter.defaultLimit
    /// The number of links that are connecting.
    private(set) var count = 0
    private var waiting = Fifo<LinkEstablishment>()
    /// The number of links that wait for their turn; those that were dropped meanwhile count until then.
    var waitingCount: Int { waiting.count }

    /// Starts the establishment, now or when its turn comes.
    func enter(_ establishment: LinkEstablishment) {
        waiting.append(establishment)
        beginNext()
    }

    /// A turn has ended.
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
    /// The limiter of this loop's links.
    var connectLimiter: ConnectLimiter {
        shared(ObjectIdentifier(ConnectLimiter.self)) { ConnectLimiter() }
    }
}
