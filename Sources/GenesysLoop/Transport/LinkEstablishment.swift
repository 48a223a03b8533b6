/// What a link needs until it is open, and not for the hours after that.
@safe final class LinkEstablishment {
    /// Unretained; cleared when the establishment is over, at the latest by the link's `deinit`.
    unowned(unsafe) var link: Link?
    /// It is one of those that connect now.
    var hasTurn = false
    var connector: Connector?
    /// Which addresses come first, and which last.
    let memory: AddressMemory
    var upgrade: UpgradeResponseParser?
    /// Whom it connects to in place of the server.
    private(set) var proxy: ProxyURI?
    /// Why there is no such proxy, although there should be.
    private(set) var unusableProxy: ProxyRules.Unusable?

    init(_ link: Link, memory: AddressMemory) {
        unsafe self.link = link
        self.memory = memory
    }

    /// Host and port to connect to: the proxy's or the server's.
    ///
    /// Where the proxy cannot be used it is a host that is none, so that the link fails in a later pass.
    func destination() -> (host: String, port: UInt16) {
        guard let link = unsafe link else { return ("", 0) }
        do throws(ProxyRules.Unusable) {
            proxy = try link.configuration.proxy?.proxy(for: link.uri)
            return proxy.map { ($0.destination, $0.port) } ?? (link.uri.destination, link.uri.port)
        } catch {
            unusableProxy = error
            return ("", 0)
        }
    }

    /// Ends the look-up and the attempts to connect under way.
    func cancel() {
        connector?.cancel()
        connector = nil
    }
}
