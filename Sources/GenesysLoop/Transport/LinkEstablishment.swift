/// What a link needs only until it is open.
@safe final class LinkEstablishment {
    /// Unretained; cleared when the establishment ends, at the latest by the link's `deinit`.
    unowned(unsafe) var link: Link?
    /// Whether the link has its turn to connect.
    var hasTurn = false
    var connector: Connector?
    /// Decides which addresses come first and last.
    let memory: AddressMemory
    /// The observer of the loop's links; nil for almost every loop.
    let observer: (any LinkObserver)?
    var upgrade: UpgradeResponseParser?
    /// The proxy to connect to; nil to connect to the server.
    private(set) var proxy: ProxyURI?
    /// Why the proxy to use is unknown; nil if it is known, or if there is none.
    private(set) var invalidProxyVariable: ProxyRules.InvalidVariable?

    init(_ link: Link, memory: AddressMemory) {
        unsafe self.link = link
        self.memory = memory
        observer = link.loop.linkObserver
    }

    /// Host and port to connect to: those of the proxy or of the server.
    ///
    /// If the proxy cannot be used, the host is empty, so that the link fails in a later pass.
    func destination() -> (host: String, port: UInt16) {
        guard let link = unsafe link else { return ("", 0) }
        do throws(ProxyRules.InvalidVariable) {
            proxy = try link.configuration.proxy?.proxy(for: link.uri)
            return proxy.map { ($0.destination, $0.port) } ?? (link.uri.destination, link.uri.port)
        } catch {
            invalidProxyVariable = error
            return ("", 0)
        }
    }

    /// Ends the look-up and all attempts to connect.
    func cancel() {
        connector?.cancel()
        connector = nil
    }
}
