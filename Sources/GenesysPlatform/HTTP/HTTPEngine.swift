package import GenesysLoop
package import Logging

/// An HTTP client on a loop: libcurl, with the library's resolver, TLS rules and proxy rules.
///
/// One for each loop and TLS configuration. At most four requests of one host are under way, the others wait in order;
/// at most four connections are kept. Redirects are not followed, and nothing is logged but a warning about libcurl's
/// version. Nothing blocks the loop's thread, canceling and closing included.
///
/// An engine that has no call under way leaves nothing on the loop, although it keeps connections.
@safe package final class HTTPEngine {
    /// What all requests of an engine share.
    package struct Configuration: Sendable {
        /// As of a channel.
        package var tls = TLSConfiguration()
        /// As of a channel; an `https://` proxy is refused.
        package var proxy: ProxySetting = .none
        /// For a proxy that the environment names without them.
        package var environmentProxyCredentials: ProxyCredentials?
        /// The value of the `User-Agent` header.
        package var userAgent = "GenesysLoop"
        /// Receives a warning about a faulty version of libcurl, once in a process.
        package var logger: Logger

        package init(logger: Logger) {
            self.logger = logger
        }
    }

    /// The number of requests of one host at the same time.
    static let maxCountPerHost = 4

    package let loop: UVLoop
    /// The handles of the engine: `whenEmpty` runs a task when the last one is closed.
    package let group: HandleGroup
    let context: TLSContext
    let userAgent: String
    private let rules: ProxyRules?
    private var current: CurlMulti?
    /// The context's generation for which `current` was made.
    private var generation = 0
    /// Handles of earlier generations, until their transfers have ended.
    private var retired: [CurlMulti] = []
    private var isClosed = false
    // Unretained: a call removes itself before it is deallocated.
    private var calls: [ObjectIdentifier: Unmanaged<HTTPCall>] = unsafe [:]
    private var turns = HostTurns()
    /// The address that answered last, for each host.
    private var provenAddresses: [String: String] = [:]
    /// What a look-up brought, for the calls that follow it soon: most use a kept connection, and need no address.
    private var knownAddresses: [String: (addresses: [SocketAddress], end: Instant)] = [:]
    /// How long the addresses of a look-up are used; as libcurl does.
    var addressLife: Duration = .seconds(60)

    /// Reads the files that the TLS configuration names, unless a channel of the loop has the same configuration.
    ///
    /// - Throws: `HTTPFailure.tls` if a file or a value cannot be used, `.unusableLibrary`.
    /// - Precondition: called on the loop's thread.
    package init(on loop: UVLoop, configuration: Configuration) throws(HTTPFailure) {
        loop.preconditionCurrent("HTTPEngine.init")
        try CurlLibrary.check(logger: configuration.logger)
        self.loop = loop
        group = HandleGroup(loop: loop)
        userAgent = configuration.userAgent
        rules = ProxyRules(
            configuration.proxy, credentials: configuration.environmentProxyCredentials,
            environment: Environment.value)
        let tls = configuration.tls
        do throws(TLSError) {
            context = try loop.shared(tls) { () throws(TLSError) in try TLSContext(client: tls) }
        } catch {
            throw .tls(error)
        }
    }

    deinit { close() }

    /// What it trusts.
    package var trust: TrustReport? { context.trust }

    /// Starts a request. The owner is never called from within this call, and never after `close()`.
    ///
    /// - Returns: the call, which is canceled when its last reference is dropped.
    /// - Precondition: called on the loop's thread.
    package func start(_ request: HTTPRequest, owner: any HTTPCallOwner) -> HTTPCall {
        loop.preconditionCurrent("HTTPEngine.start")
        let call = HTTPCall(request, on: self, owner: owner)
        unsafe calls[ObjectIdentifier(call)] = Unmanaged.passUnretained(call)
        guard !isClosed else {
            call.cancel()
            return call
        }
        if turns.enter(ObjectIdentifier(call), host: request.authority) { call.begin() }
        return call
    }

    /// Cancels all calls, closes all connections, and leaves no handle open but until the loop's next turn.
    ///
    /// Calling it again does nothing.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        // A call is alive: it removes itself before it is deallocated.
        let alive = unsafe calls.values.map { unsafe $0.takeUnretainedValue() }
        for call in alive { call.cancel() }
        current?.close()
        current = nil
        for multi in retired { multi.close() }
        retired = []
    }

    // MARK: - For calls

    /// The multi handle for a new transfer: a new one after `UVLoop.reloadTLS()`, so that no connection is reused that
    /// the former files allowed.
    func multi() throws(HTTPFailure) -> CurlMulti {
        if let current {
            if generation == context.generation { return current }
            retired.append(current)
            self.current = nil
        }
        let made = try CurlMulti(loop: loop, group: group)
        current = made
        generation = context.generation
        closeRetired()
        return made
    }

    /// The proxy for a URI; nil to connect directly.
    func proxy(for uri: WebSocketURI) throws(HTTPFailure) -> ProxyURI? {
        let proxy: ProxyURI?
        do throws(ProxyRules.InvalidVariable) {
            proxy = try rules?.proxy(for: uri)
        } catch {
            throw .invalidProxyVariable(error)
        }
        if let proxy, proxy.scheme == .https { throw .unsupportedProxy(proxy) }
        return proxy
    }

    /// A call has ended, or was canceled: the next one of its host begins.
    func callDidEnd(_ call: HTTPCall) {
        unsafe calls[ObjectIdentifier(call)] = nil
        if let next = turns.leave(ObjectIdentifier(call), host: call.request.authority) {
            // It is in the list, therefore alive.
            unsafe calls[next]?.takeUnretainedValue().begin()
        }
        closeRetired()
    }

    private func closeRetired() {
        for multi in retired where multi.transferCount == 0 { multi.close() }
        retired.removeAll { $0.transferCount == 0 }
    }

    func provenAddress(for request: HTTPRequest, by proxy: ProxyURI?) -> String? {
        provenAddresses[HTTPEngine.name(request, proxy)]
    }

    func remember(_ address: String?, for request: HTTPRequest, by proxy: ProxyURI?) {
        provenAddresses[HTTPEngine.name(request, proxy)] = address
    }

    /// The addresses of a look-up of the last minute whose call was answered; empty if there are none.
    func knownAddresses(for request: HTTPRequest, by proxy: ProxyURI?) -> [SocketAddress] {
        guard let known = knownAddresses[HTTPEngine.name(request, proxy)], loop.now.instant < known.end else {
            return []
        }
        return known.addresses
    }

    /// - Parameter addresses: those of a look-up; empty once they have failed.
    func know(_ addresses: [SocketAddress], since time: Instant, for request: HTTPRequest, by proxy: ProxyURI?) {
        let isOver = addresses.isEmpty
        knownAddresses[HTTPEngine.name(request, proxy)] = isOver ? nil : (addresses, time + addressLife)
    }

    private static func name(_ request: HTTPRequest, _ proxy: ProxyURI?) -> String {
        proxy.map { "\($0)" } ?? request.authority
    }
}
