/// What a link needs until it is open, and not for the hours after that.
@safe final class LinkApproach {
    /// Unretained; cleared when the approach is over, at the latest by the link's `deinit`.
    unowned(unsafe) var link: Link?
    /// It is one of those that connect now.
    var hasTurn = false
    var resolution: Resolution?
    /// Those not tried yet.
    var addresses: ArraySlice<SocketAddress> = []
    /// The one that is being tried, or was the last.
    var address: SocketAddress?
    /// Those that refused, each with its reason.
    var failedAddresses: [String] = []
    var upgrade: UpgradeResponseParser?

    init(_ link: Link) {
        unsafe self.link = link
    }

    /// Ends the look-up under way.
    func cancel() {
        resolution?.cancel()
        resolution = nil
    }
}
