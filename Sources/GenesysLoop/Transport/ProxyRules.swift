/// Which proxy a link goes through.
package struct ProxyRules {
    /// What the environment names cannot be used.
    struct Unusable: Error, Hashable {
        let variable: String
        let error: InvalidURI
    }

    private let secure: Result<ProxyURI?, Unusable>
    private let plain: Result<ProxyURI?, Unusable>
    private let exemptions: ProxyExemptions
    /// Whom to trust at a proxy with TLS.
    package var context: TLSContext?

    /// The rules of a setting; nil where no link has a proxy.
    ///
    /// - Parameter environment: the value of a variable.
    package init?(_ setting: ProxySetting, environment: (String) -> String?) {
        switch setting {
        case .none:
            return nil
        case .url(let uri):
            secure = .success(uri)
            plain = .success(uri)
            exemptions = ProxyExemptions("")
        case .environment:
            // Not HTTP_PROXY: where a web server started the program it may be a header of the request (CVE-2016-5385).
            secure = ProxyRules.proxy(of: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], in: environment)
            plain = ProxyRules.proxy(of: ["http_proxy", "all_proxy", "ALL_PROXY"], in: environment)
            if case (.success(nil), .success(nil)) = (secure, plain) { return nil }
            exemptions = ProxyExemptions(
                ProxyRules.value(of: "no_proxy", in: environment) ?? ProxyRules.value(of: "NO_PROXY", in: environment)
                    ?? "")
        }
    }

    /// Whether one of the proxies has TLS.
    package var needsContext: Bool {
        [secure, plain].contains { (try? $0.get())?.scheme == .https }
    }

    /// The proxy for a URI; nil to connect directly.
    func proxy(for uri: WebSocketURI) throws(Unusable) -> ProxyURI? {
        if exemptions.contain(host: uri.host, port: uri.port) { return nil }
        return try (uri.isSecure ? secure : plain).get()
    }

    /// The proxy for a URI, in the terms of a channel.
    package func check(_ uri: WebSocketURI) throws(ChannelFailure) -> ProxyURI? {
        do throws(Unusable) {
            return try proxy(for: uri)
        } catch {
            throw ChannelFailure(unusable: error)
        }
    }

    /// An empty variable counts as unset, and white space at its ends is ignored.
    private static func value(of name: String, in environment: (String) -> String?) -> String? {
        guard let value = environment(name).map(WhiteSpace.trimmed), !value.isEmpty else { return nil }
        return value
    }

    private static func proxy(
        of names: [String], in environment: (String) -> String?
    ) -> Result<ProxyURI?, Unusable> {
        for name in names {
            guard let value = value(of: name, in: environment) else { continue }
            do throws(InvalidURI) {
                // Many have only host and port there.
                return .success(try ProxyURI(checking: value.contains("://") ? value : "http://\(value)"))
            } catch {
                return .failure(Unusable(variable: name, error: error))
            }
        }
        return .success(nil)
    }
}
