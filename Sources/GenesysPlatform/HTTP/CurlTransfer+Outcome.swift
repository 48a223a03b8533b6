internal import CCurl
internal import GenesysLoop

/// What the end of a transfer means.
extension CurlTransfer {
    /// Reads the outcome; the transfer is still in its multi handle.
    func outcome(_ code: CURLcode) -> Outcome {
        // The server may have reset the connection behind an alert, which libcurl does not read once it cannot write.
        if code == CURLE_SEND_ERROR { handshake?.receiveRest(multi.unreadInput(of: descriptor)) }
        // What TLS reports precedes what libcurl makes of it.
        if let error = tlsFailure ?? handshake?.failure { return .failure(.tls(error)) }
        if code == CURLE_OK {
            guard isComplete else { return .failure(interruption) }
            return .answer(HTTPAnswer(head, body: takeBody(), for: route.url, at: multi.loop.now.wall))
        }
        if isBodyTooLarge || code == CURLE_FILESIZE_EXCEEDED {
            return .failure(.bodyTooLarge(limit: request.maxBodySize))
        }
        if isHeadTooLong { return .failure(.violation(HTTPFailure.longHead)) }
        if let proxy = route.proxy, let error = proxyError(code) { return .failure(.proxy(error, of: proxy)) }
        switch code {
        case CURLE_COULDNT_CONNECT:
            let error = connectError ?? UVError(operation: "connect", code: -ccurl_refused())
            return .unreachable(error, tried: tried)
        case CURLE_OPERATION_TIMEDOUT:
            return .failure(timeout)
        case CURLE_PEER_FAILED_VERIFICATION:
            // Only a difference between libcurl's comparison of names and that of OpenSSL, which found no fault.
            return .failure(.tls(.nameRefused(host: route.url.uri.host)))
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_SSL_CONNECT_ERROR,
            CURLE_SEND_FAIL_REWIND:
            return .failure(interruption)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING:
            return .failure(.violation("its answer is not one of HTTP/1.1"))
        default:
            return .failure(HTTPFailure(code))
        }
    }

    /// Whether all of the answer has arrived. libcurl also accepts half of a head, and a body that ends with the
    /// connection although TLS does not say that this is the end.
    private var isComplete: Bool {
        guard head.isComplete, head.line.map({ $0.status >= 200 }) == true else { return false }
        guard route.url.uri.isSecure, head.endsWithConnection(request.method) else { return true }
        return handshake?.hasReceivedCloseNotify == true
    }

    /// The failure of a transfer whose connection ended early.
    private var interruption: HTTPFailure {
        // Behind the head of a success a part of the body is missing, so the server has acted.
        let isAccepted = head.isComplete && (head.line.map { (200...299).contains($0.status) } ?? false)
        return hasBegun && isAccepted ? .truncated(systemError) : .closed(during: phase, systemError)
    }

    /// The failure of a transfer whose deadline has passed.
    var timeout: HTTPFailure {
        let phase = self.phase
        let isAboutProxy = phase == .connect || phase == .proxy
        return .timeout(phase, tried: phase == .connect ? tried : [], proxy: isAboutProxy ? route.proxy : nil)
    }

    /// What the transfer is waiting for.
    var phase: HTTPFailure.Phase {
        if hasBegun { return .answer }
        if !hasConnected, handshake == nil { return .connect }
        if route.proxy != nil, !isTunnelOpen { return .proxy }
        return route.url.uri.isSecure ? .tls : .answer
    }

    /// Whether a proxy has opened its tunnel; TLS begins then.
    private var isTunnelOpen: Bool {
        handshake != nil || (200...299).contains(unsafe ccurl_get_long(easy, CURLINFO_HTTP_CONNECTCODE))
    }

    /// The result of each address so far.
    var tried: [String] {
        failedAddresses + multi.pendingAddresses(of: self).map { "\($0): no answer" }
    }

    /// The error of the socket, if there is one.
    private var systemError: UVError? {
        let code = Int32(unsafe ccurl_get_long(easy, CURLINFO_OS_ERRNO))
        return code == 0 ? nil : UVError(operation: phase == .connect ? "connect" : "read", code: -code)
    }

    /// What the proxy did; nil if the failure is not its.
    private func proxyError(_ code: CURLcode) -> ProxyError? {
        let status = unsafe ccurl_get_long(easy, CURLINFO_HTTP_CONNECTCODE)
        if status != 0, !(200...299).contains(status), let refusal = head.refusal { return .refused(refusal) }
        switch code {
        case CURLE_PROXY:
            let detail = CURLproxycode(rawValue: UInt32(unsafe ccurl_get_long(easy, CURLINFO_PROXY_ERROR)))
            return ProxyError(detail, hasCredentials: route.proxy?.hasCredentials == true)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL:
            return phase == .proxy ? .head(.malformedStartLine) : nil
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE:
            guard phase == .proxy else { return nil }
            if head.isMalformed { return .head(.malformedStartLine) }
            return systemError.map { .broke($0) } ?? .ended
        default:
            return nil
        }
    }
}

extension HTTPFailure {
    static let longHead = "the head of its answer is longer than \(HTTPHeadCollector.maxByteCount) bytes"

    /// A failure that only libcurl can explain. Its text for the code holds nothing of the request.
    init(_ code: CURLcode) {
        // A constant of libcurl.
        self = .internal(code: Int(code.rawValue), unsafe String(cString: curl_easy_strerror(code)))
    }
}

extension ProxyError {
    /// The error of a SOCKS5 proxy.
    fileprivate init(_ code: CURLproxycode, hasCredentials: Bool) {
        switch code {
        case CURLPX_REPLY_GENERAL_SERVER_FAILURE: self = .reply(1)
        case CURLPX_REPLY_NOT_ALLOWED: self = .reply(2)
        case CURLPX_REPLY_NETWORK_UNREACHABLE: self = .reply(3)
        case CURLPX_REPLY_HOST_UNREACHABLE: self = .reply(4)
        case CURLPX_REPLY_CONNECTION_REFUSED: self = .reply(5)
        case CURLPX_REPLY_TTL_EXPIRED: self = .reply(6)
        case CURLPX_REPLY_COMMAND_NOT_SUPPORTED: self = .reply(7)
        case CURLPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED: self = .reply(8)
        case CURLPX_NO_AUTH: self = .noMethod(hasOfferedPassword: hasCredentials)
        case CURLPX_USER_REJECTED: self = .credentialsRefused
        case CURLPX_BAD_VERSION, CURLPX_UNKNOWN_MODE, CURLPX_BAD_ADDRESS_TYPE, CURLPX_REPLY_UNASSIGNED,
            CURLPX_UNKNOWN_FAIL:
            self = .brokenRule("its answer is not one of SOCKS5")
        default: self = .ended
        }
    }
}
