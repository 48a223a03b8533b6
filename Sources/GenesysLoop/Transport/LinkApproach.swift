/// What a link needs until it is open, and not for the hours after that.
final class LinkApproach {
    var resolution: Resolution?
    /// Those not tried yet.
    var addresses: ArraySlice<SocketAddress> = []
    /// The one that is being tried, or was the last.
    var address: SocketAddress?
    /// Those that refused, each with its reason.
    var failedAddresses: [String] = []
    var upgrade: UpgradeResponseParser?

    /// Ends the look-up under way.
    func cancel() {
        resolution?.cancel()
        resolution = nil
    }
}
