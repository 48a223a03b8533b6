internal import CCurl
internal import GenesysLoop

/// The options of a transfer.
///
/// What libcurl would decide by itself is set, also where its default is the same: names, trust, proxies, redirects,
/// credentials and logs are the library's.
extension CurlTransfer {
    func setOptions() throws(HTTPFailure) {
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_PRIVATE, reference))
        // Without it libcurl changes the handlers of signals, which other threads may rely on.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, CurlTransfer.milliseconds(route.connectTime))
        try set(CURLOPT_TIMEOUT_MS, CurlTransfer.milliseconds(route.time))
        try setRequest()
        try setAnswer()
        try setConnection()
        try setTLS()
        if let proxy = route.proxy { try setProxy(proxy) } else { try set(CURLOPT_PROXY, "") }
        try set(CURLOPT_NOPROXY, "")
    }

    /// What libcurl passes to the callbacks. The transfer is alive while libcurl has it: until `cleanUp()`.
    private var reference: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    /// At least one: zero means libcurl's default.
    private static func milliseconds(_ time: Duration) -> Int {
        Int(max(1, (time.wholeNanoseconds + 999_999) / 1_000_000))
    }

    // MARK: - Request and answer

    private func setRequest() throws(HTTPFailure) {
        try set(CURLOPT_URL, route.url.text(host: serverName))
        try set(CURLOPT_PROTOCOLS_STR, route.url.scheme)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_USERAGENT, route.userAgent)
        try set(CURLOPT_FRESH_CONNECT, request.usesFreshConnection ? 1 : 0)
        var lines = request.headers.map { name, value in CurlTransfer.line(name, value) }
        if serverName != nil { lines.append(CurlTransfer.line("Host", SecretBytes(route.url.uri.hostHeader))) }
        // libcurl would wait for an interim answer before a large body.
        lines.append(CurlTransfer.line("Expect", SecretBytes("")))
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, list(lines).pointer))
        // A proxy gets none of the headers.
        try set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        switch request.method {
        case .get where request.body == nil: try set(CURLOPT_HTTPGET, 1)
        case .head: try set(CURLOPT_NOBODY, 1)
        case .delete where request.body == nil: try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        case .get, .post, .put, .delete:
            try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            try setBody()
        }
    }

    /// The size comes first: without it libcurl would look for a zero byte.
    private func setBody() throws(HTTPFailure) {
        let body = request.body
        try check(unsafe ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body?.count ?? 0)))
        guard let body, body.count > 0 else { return try set(CURLOPT_POSTFIELDS, "") }
        // libcurl does not copy the bytes, which live as long as the request of this transfer.
        let pointer = unsafe body.withBytes { $0.baseAddress }
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_POSTFIELDS, pointer))
    }

    /// A line of the head, with a zero byte. libcurl removes a header of its own for a line without a value.
    private static func line(_ name: String, _ value: SecretBytes) -> SecretBytes {
        var line = SecretBuffer()
        let beginning = Array("\(name):\(value.count > 0 ? " " : "")".utf8)
        // The arrays and the value live during the calls.
        unsafe beginning.withUnsafeBytes { unsafe line.append($0) }
        unsafe value.withBytes { unsafe line.append($0) }
        unsafe [UInt8(0)].withUnsafeBytes { unsafe line.append($0) }
        return line.take()
    }

    private func setAnswer() throws(HTTPFailure) {
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        try check(unsafe ccurl_set_bytes_callback(easy, CURLOPT_WRITEFUNCTION, bodyCallback))
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_WRITEDATA, reference))
        try check(unsafe ccurl_set_bytes_callback(easy, CURLOPT_HEADERFUNCTION, headCallback))
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_HEADERDATA, reference))
        try check(unsafe ccurl_set_size(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(request.maxBodySize)))
    }

    // MARK: - Connection

    private func setConnection() throws(HTTPFailure) {
        try check(unsafe ccurl_set_open_callback(easy, openSocketCallback))
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, reference))
        try check(unsafe ccurl_set_close_callback(easy, closeSocketCallback))
        // The multi handle cleans up all connections before its object is deallocated.
        let owner = unsafe Unmanaged.passUnretained(multi).toOpaque()
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, owner))
        try check(unsafe ccurl_set_prerequest_callback(easy, readyCallback))
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_PREREQDATA, reference))
        if serverName != nil {
            try check(
                unsafe ccurl_set_pointer(easy, CURLOPT_CONNECT_TO, list([SecretBytes("::\(target)\u{0}")]).pointer))
        }
        guard !route.addresses.isEmpty else { return }
        // A later list for the same host replaces an earlier one; the plus sign lets it expire.
        let addresses = route.addresses.map { $0.isIPv6 ? "[\($0.host)]" : $0.host }.joined(separator: ",")
        let name = route.proxy.map { "\($0.host):\($0.port)" } ?? target
        let line = SecretBytes("+\(name):\(addresses)\u{0}")
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_RESOLVE, list([line]).pointer))
        try check(unsafe ccurl_set_resolver_callback(easy, resolverCallback))
    }

    /// Host and port of the server, as libcurl has them in a list.
    private var target: String {
        let uri = route.url.uri
        return "\(uri.isIPv6Literal ? "[\(uri.host)]" : uri.host):\(uri.port)"
    }

    /// The name that TLS uses in place of the host, as in a URL; nil for the host.
    private var serverName: String? {
        guard let name = route.context?.serverName else { return nil }
        return name.contains(":") ? "[\(name)]" : name
    }

    /// The proxy resolves the name of the server.
    private func setProxy(_ proxy: ProxyURI) throws(HTTPFailure) {
        let scheme = proxy.scheme == .http ? "http" : "socks5h"
        let host = proxy.host.contains(":") ? "[\(proxy.destination)]" : proxy.host
        try set(CURLOPT_PROXY, "\(scheme)://\(host):\(proxy.port)")
        try set(CURLOPT_HTTPPROXYTUNNEL, 1)
        try check(unsafe ccurl_set_basic(easy, CURLOPT_PROXYAUTH))
        try check(unsafe ccurl_set_basic(easy, CURLOPT_SOCKS5_AUTH))
        guard let credentials = proxy.credentials else { return }
        // libcurl copies the texts. They hold no zero byte.
        try check(
            unsafe ccurl_set_text(easy, CURLOPT_PROXYUSERNAME, credentials.user.map(CChar.init(bitPattern:)) + [0]))
        try check(
            unsafe ccurl_set_text(easy, CURLOPT_PROXYPASSWORD, credentials.password.map(CChar.init(bitPattern:)) + [0]))
    }

    // MARK: - TLS

    /// `SupervisedHandshake` puts the rules on libcurl's `SSL_CTX`. libcurl itself has no trusted certificate, keeps no
    /// store of one connection for the next, and resumes no session.
    private func setTLS() throws(HTTPFailure) {
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_CAINFO, nil)
        try set(CURLOPT_CAPATH, nil)
        try set(CURLOPT_CA_CACHE_TIMEOUT, 0)
        try set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try set(CURLOPT_SSL_ENABLE_ALPN, 0)
        try check(unsafe ccurl_set_context_callback(easy, contextCallback))
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_SSL_CTX_DATA, reference))
    }

    // MARK: - Setting

    private func set(_ option: CURLoption, _ value: Int) throws(HTTPFailure) {
        // The handle is open.
        try check(unsafe ccurl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String?) throws(HTTPFailure) {
        // libcurl copies the text, except for an empty body, which it does not read.
        try check(unsafe ccurl_set_text(easy, option, value))
    }

    private func check(_ code: CURLcode) throws(HTTPFailure) {
        guard code == CURLE_OK else { throw HTTPFailure(code) }
    }
}
