internal import CCurl
internal import GenesysLoop

/// The owner of a `CurlTransfer`.
protocol CurlTransferOwner: AnyObject {
    /// The transfer has ended; the last call.
    func transfer(_ transfer: CurlTransfer, didEndWith outcome: CurlTransfer.Outcome)
}

/// One request of libcurl, from its options to its outcome.
///
/// libcurl's callbacks only collect here what they are given; see `CurlMulti` for when the owner is called.
@safe final class CurlTransfer {
    /// The end of a transfer.
    enum Outcome {
        case answer(HTTPAnswer)
        case failure(HTTPFailure)
        /// No address accepted a connection; there may be further addresses.
        case unreachable(UVError, tried: [String])
    }

    /// Where and how to connect.
    struct Route {
        let url: HTTPURL
        let proxy: ProxyURI?
        /// The addresses of the proxy or the server, best first; empty for a host that is an address itself.
        let addresses: [SocketAddress]
        /// Made for clients; nil without TLS.
        let context: TLSContext?
        let userAgent: String
        /// What is left of the deadlines.
        let connectTime: Duration
        let time: Duration
    }

    /// Its number in the multi handle.
    let id: Int
    /// Owned; closed by `cleanUp()`.
    let easy: UnsafeMutableRawPointer
    let request: HTTPRequest
    let route: Route
    /// Unretained: the owner removes the transfer before it is deallocated.
    private unowned(unsafe) var owner: (any CurlTransferOwner)?
    unowned let multi: CurlMulti
    private var isOpen = true
    /// libcurl does not copy them.
    private var lists: [CurlList] = []

    // What the callbacks collect.
    private(set) var handshake: SupervisedHandshake?
    private(set) var tlsFailure: TLSError?
    private var body = SecretBuffer()
    private(set) var head = HTTPHeadCollector()
    private(set) var isBodyTooLarge = false
    private(set) var isHeadTooLong = false
    /// A socket of this transfer is connected, to the server or to the proxy.
    private(set) var hasConnected = false
    /// The connection is ready, and the request is being sent.
    private(set) var hasBegun = false
    /// The socket of that connection.
    private(set) var descriptor: Int32?
    /// The address that the request is sent to.
    private(set) var peer: String?
    private(set) var failedAddresses: [String] = []
    private(set) var connectError: UVError?

    /// - Throws: `HTTPFailure.internal`, if libcurl refuses an option.
    init(
        _ request: HTTPRequest, by route: Route, on multi: CurlMulti, owner: any CurlTransferOwner
    ) throws(HTTPFailure) {
        guard let easy = unsafe curl_easy_init() else {
            throw HTTPFailure(CURLE_OUT_OF_MEMORY)
        }
        unsafe self.easy = unsafe easy
        id = multi.nextID()
        self.request = request
        self.route = route
        self.multi = multi
        unsafe self.owner = owner
        do throws(HTTPFailure) {
            try setOptions()
        } catch {
            cleanUp()
            throw error
        }
    }

    deinit { cleanUp() }

    /// The owner, until it is notified or gives the transfer up.
    var currentOwner: (any CurlTransferOwner)? { unsafe owner }

    func forgetOwner() {
        unsafe owner = nil
    }

    /// Frees what libcurl holds; the transfer is not in a multi handle.
    func cleanUp() {
        guard isOpen else { return }
        isOpen = false
        // No other reference to the handle is left.
        unsafe curl_easy_cleanup(easy)
        lists = []
    }

    /// Makes a list for libcurl, which lives until `cleanUp()`.
    func list(_ lines: [SecretBytes]) throws(HTTPFailure) -> CurlList {
        let list = try CurlList(lines)
        lists.append(list)
        return list
    }

    // MARK: - Callbacks

    fileprivate func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard body.count + bytes.count <= request.maxBodySize else {
            isBodyTooLarge = true
            return false
        }
        unsafe body.append(bytes)
        return true
    }

    fileprivate func receivedHeadLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard unsafe head.append(Array(bytes)) else {
            isHeadTooLong = true
            return false
        }
        return true
    }

    /// A connection begins TLS.
    fileprivate func prepare(_ context: UnsafeMutableRawPointer) -> Bool {
        guard let rules = route.context else { return false }
        do throws(TLSError) {
            let handshake = try SupervisedHandshake(context: rules, host: route.url.uri.host)
            self.handshake = handshake
            return unsafe handshake.attach(to: context)
        } catch {
            tlsFailure = error
            return false
        }
    }

    /// The request is about to be sent, over a new connection or a kept one.
    fileprivate func isReady(peer: String?, ports: (own: Int32, peer: Int32)) -> Bool {
        descriptor = multi.socket(of: self, own: ports.own, peer: ports.peer)
        handshake = multi.handshake(of: descriptor, made: handshake)
        if route.url.uri.isSecure, handshake?.isTrusted != true { return false }
        // What a proxy answered to CONNECT is over.
        head = HTTPHeadCollector()
        hasBegun = true
        self.peer = peer
        return true
    }

    fileprivate func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        // The record is libcurl's, and valid during the call.
        let descriptor = unsafe ccurl_socket(address)
        guard descriptor >= 0 else {
            connectError = UVError(operation: "connect", code: -ccurl_errno())
            return CURL_SOCKET_BAD
        }
        unsafe multi.socketDidOpen(descriptor, to: SocketAddress(reading: ccurl_address(address)), for: self)
        return descriptor
    }

    /// A socket of this transfer is connected.
    func didConnect() {
        hasConnected = true
    }

    /// A socket of this transfer is closed without a connection.
    func didFail(toConnectTo address: SocketAddress) {
        // The handle is open: the transfer is in its multi handle.
        let code = Int32(unsafe ccurl_get_long(easy, CURLINFO_OS_ERRNO))
        guard code != 0 else { return failedAddresses.append("\(address): no answer") }
        let error = UVError(operation: "connect", code: -code)
        connectError = error
        failedAddresses.append("\(address): \(error.text)")
    }

    /// How much of the body has arrived.
    var bodyByteCount: Int { body.count }

    /// Moves the body out.
    func takeBody() -> SecretBytes { body.take() }
}

/// Lines of text for libcurl, which are overwritten when the object is deallocated.
@safe final class CurlList {
    /// Owned; nil for an empty list.
    let pointer: UnsafeMutablePointer<curl_slist>?

    /// - Parameter lines: each ends with a zero byte.
    init(_ lines: [SecretBytes]) throws(HTTPFailure) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            // libcurl copies the text.
            let longer = unsafe line.withBytes { bytes in
                unsafe curl_slist_append(list, bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
            }
            guard let longer = unsafe longer else {
                unsafe ccurl_free_list(list)
                throw HTTPFailure(CURLE_OUT_OF_MEMORY)
            }
            unsafe list = unsafe longer
        }
        unsafe pointer = unsafe list
    }

    deinit {
        // libcurl no longer has the list.
        unsafe ccurl_free_list(pointer)
    }
}

// The pointers are those of a transfer that libcurl works on: it is in its multi handle, which holds it.

private func transfer(_ data: UnsafeMutableRawPointer?) -> CurlTransfer? {
    unsafe data.map { unsafe Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
}

/// The bytes are lent for the call. A result other than their count ends the transfer.
func bodyCallback(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ number: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
    let count = size * number
    let isTaken = unsafe transfer(data)?.received(UnsafeRawBufferPointer(start: bytes, count: count)) ?? false
    return isTaken ? count : 0
}

/// As `bodyCallback`, for a line of the head.
func headCallback(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ number: Int, _ data: UnsafeMutableRawPointer?
) -> Int {
    let count = size * number
    let isTaken = unsafe transfer(data)?.receivedHeadLine(UnsafeRawBufferPointer(start: bytes, count: count)) ?? false
    return isTaken ? count : 0
}

func contextCallback(
    _ easy: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?, _ data: UnsafeMutableRawPointer?
) -> CURLcode {
    guard let context = unsafe context, let transfer = unsafe transfer(data) else { return CURLE_SSL_CONNECT_ERROR }
    return unsafe transfer.prepare(context) ? CURLE_OK : CURLE_SSL_CONNECT_ERROR
}

func readyCallback(
    _ data: UnsafeMutableRawPointer?, _ peer: UnsafeMutablePointer<CChar>?, _ own: UnsafeMutablePointer<CChar>?,
    _ peerPort: Int32, _ ownPort: Int32
) -> Int32 {
    // The text is libcurl's, and valid during the call.
    let text = unsafe peer.map { unsafe String(cString: $0) }
    let isReady = unsafe transfer(data)?.isReady(peer: text, ports: (ownPort, peerPort)) ?? false
    return isReady ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

func openSocketCallback(
    _ data: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address = unsafe address, let transfer = unsafe transfer(data) else { return CURL_SOCKET_BAD }
    return unsafe transfer.open(address)
}

/// libcurl is about to look up a name itself, since it has no address of ours: canceling would wait for the answer.
func resolverCallback(
    _ state: UnsafeMutableRawPointer?, _ reserved: UnsafeMutableRawPointer?, _ data: UnsafeMutableRawPointer?
) -> Int32 { 1 }
