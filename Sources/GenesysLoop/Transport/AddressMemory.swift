/// What the connections of a channel have taught about the addresses they went to.
///
/// That an address takes a TCP connection says little: what answers there may be a dead process, or a balancer with
/// nobody behind it. So an address that was reached is doubtful until its connection was of use, and doubtful addresses
/// are tried last, the one that was doubted first before the others. The one that was of use last is tried first.
struct AddressMemory: Equatable, Sendable {
    /// How many addresses of each kind are remembered.
    static let capacity = 16

    /// Those whose last connection was of use, the latest first.
    private var proven: [SocketAddress] = []
    /// Those whose last connection was of no use, or is being made, the latest last.
    private var doubtful: [SocketAddress] = []
    /// Of the last doubtful one nothing is known yet.
    private var isOnTrial = false

    /// An address took a TCP connection.
    mutating func reached(_ address: SocketAddress) {
        proven.removeAll { $0 == address }
        doubtful.removeAll { $0 == address }
        if doubtful.count == AddressMemory.capacity { doubtful.removeFirst() }
        doubtful.append(address)
        isOnTrial = true
    }

    /// The connection to the address that was reached last is of use.
    mutating func succeeded() {
        guard let address = endTrial() else { return }
        if proven.count == AddressMemory.capacity { proven.removeLast() }
        proven.insert(address, at: 0)
    }

    /// It was given up before anybody could know.
    mutating func withdrawn() {
        _ = endTrial()
    }

    private mutating func endTrial() -> SocketAddress? {
        guard isOnTrial else { return nil }
        isOnTrial = false
        return doubtful.popLast()
    }

    /// The place of an address among others: negative for a proven one, positive for a doubtful one.
    func rank(of address: SocketAddress) -> Int {
        if let index = proven.firstIndex(of: address) { return index - proven.count }
        return doubtful.firstIndex(of: address).map { $0 + 1 } ?? 0
    }

    /// The addresses in the order in which they are to be tried; among equals the given one.
    func sorted(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let ranked = addresses.enumerated().map { (rank: rank(of: $0.element), offset: $0.offset, address: $0.element) }
        return ranked.sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) }.map(\.address)
    }
}
