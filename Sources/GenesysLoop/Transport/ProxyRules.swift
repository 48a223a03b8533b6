/// The choice of the proxy for a link.
package struct ProxyRules {
    /// A variable of the environment names a proxy that cannot be used.
    package struct InvalidVariable: Error, Hashable, Sendable {
        package let name: String
        package let error: InvalidURI

        /// A clause about it.
        package var clause: String {
            "the environment variable \(name) names no usable proxy: \(Sentence.clause(error.description))"
        }
    }

    private let secure: Result<ProxyURI?, InvalidVariable>
    private let plain: Result<ProxyURI?, InvalidVariable>
    /// The variables that name them.
    private let variables: (secure: String?, plain: String?)
    private let exemptions: ProxyExemptions
    /// The TLS context for proxies with TLS.
    package var context: TLSContext?

    private static let secureNames = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    private static let plainNames = ["http_proxy", "all_proxy", "ALL_PROXY"]

    /// The rules of a setting; nil if no link has a proxy.
    ///
    /// - Parameters:
    ///   - credentials: for a proxy that the environment names.
    ///   - environment: returns the value of a variable.
    package init?(
        _ setting: ProxySetting, credentials: ProxyCredentials? = nil, environment: (String) -> String?
    ) {
        switch setting {
        case .none:
            return nil
        case .url(let uri):
            secure = .success(uri)
            plain = .success(uri)
            variables = (nil, nil)
            exemptions = ProxyExemptions("")
        case .environment:
            // Not HTTP_PROXY: if a web server started the program, it may be a header of the request (CVE-2016-5385).
            secure = ProxyRules.proxy(of: ProxyRules.secureNames, credentials, in: environment)
            plain = ProxyRules.proxy(of: ProxyRules.plainNames, credentials, in: environment)
            let isSet = { ProxyRules.value(of: $0, in: environment) != nil }
            variables = (ProxyRules.secureNames.first(where: isSet), ProxyRules.plainNames.first(where: isSet))
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
    package func proxy(for uri: WebSocketURI) throws(InvalidVariable) -> ProxyURI? {
        if exemptions.contain(host: uri.host, port: uri.port) { return nil }
        return try (uri.isSecure ? secure : plain).get()
    }

    /// The variable of the environment that names the proxy for a URI; nil if the setting does.
    func variable(for uri: WebSocketURI) -> String? { uri.isSecure ? variables.secure : variables.plain }

    /// The proxy for a URI, before there is a link.
    func check(_ uri: WebSocketURI) throws(LinkFailure) -> ProxyURI? {
        do throws(InvalidVariable) {
            return try proxy(for: uri)
        } catch {
            throw .invalidProxyVariable(error)
        }
    }

    /// An empty variable counts as unset, and white space at its ends is ignored.
    private static func value(of name: String, in environment: (String) -> String?) -> String? {
        guard let value = environment(name).map(WhiteSpace.trimmed), !value.isEmpty else { return nil }
        return value
    }

    private static func proxy(
        of names: [String], _ credentials: ProxyCredentials?, in environment: (String) -> String?
    ) -> Result<ProxyURI?, InvalidVariable> {
        for name in names {
            guard let value = value(of: name, in: environment) else { continue }
            do throws(InvalidURI) {
                // Many environments have only host and port.
                let proxy = try ProxyURI(value.contains("://") ? value : "http://\(value)")
                return .success(try credentials.map(proxy.with) ?? proxy)
            } catch {
                return .failure(InvalidVariable(name: name, error: error))
            }
        }
        return .success(nil)
    }
}

/// The list of `NO_PROXY`: the hosts to connect to directly.
///
/// An entry that is no host, address or network matches nothing.
struct ProxyExemptions: Hashable, Sendable {
    private enum Entry: Hashable, Sendable {
        case everything
        /// A name in lower case, without dots at its ends; it matches the names under it too.
        case domain([UInt8], port: UInt16?)
        /// An address of 16 bytes; IPv4 as `::ffff:a.b.c.d`.
        case network(address: [UInt8], prefix: Int, port: UInt16?)
    }

    private let entries: [Entry]

    /// Parses a list whose elements are separated by commas or white space.
    init(_ list: String) {
        entries = WhiteSpace.elements(list).compactMap { Self.entry(ASCII.lowercased($0.utf8)) }
    }

    /// Whether the list contains the host; an IPv6 address is without brackets.
    func contain(host: String, port: UInt16) -> Bool {
        let name = Self.trimmed(Array(host.utf8)[...])
        let address = Self.address(Array(name))
        return entries.contains { entry in
            switch entry {
            case .everything: true
            case .domain(let domain, let only):
                address == nil && only ?? port == port && Self.isName(name, within: domain)
            case .network(let network, let prefix, let only):
                address.map { only ?? port == port && Self.isEqual($0, network, upTo: prefix) } ?? false
            }
        }
    }

    private static func isName(_ name: ArraySlice<UInt8>, within domain: [UInt8]) -> Bool {
        guard name.count > domain.count else { return name.elementsEqual(domain) }
        return name.suffix(domain.count).elementsEqual(domain) && name[name.endIndex - domain.count - 1] == .dot
    }

    private static func isEqual(_ left: [UInt8], _ right: [UInt8], upTo bitCount: Int) -> Bool {
        let (whole, rest) = bitCount.quotientAndRemainder(dividingBy: 8)
        guard left[..<whole] == right[..<whole] else { return false }
        return rest == 0 || (left[whole] ^ right[whole]) >> (8 - UInt8(rest)) == 0
    }

    // MARK: - Reading

    private static func entry(_ element: [UInt8]) -> Entry? {
        if element == [UInt8(ascii: "*")] { return .everything }
        if let slash = element.firstIndex(of: .slash) {
            return network(Array(element[..<slash]), prefix: element[(slash + 1)...])
        }
        if let address = address(unbracketed(element)) { return .network(address: address, prefix: 128, port: nil) }
        let (host, port) = splitPort(element)
        if let address = address(unbracketed(host)) { return .network(address: address, prefix: 128, port: port) }
        let name = trimmed(host.starts(with: "*.".utf8) ? host.dropFirst() : host[...])
        return name.isEmpty ? nil : .domain(Array(name), port: port)
    }

    /// A network with the length of its prefix (RFC 4632 §3.1, RFC 4291 §2.3).
    private static func network(_ host: [UInt8], prefix digits: ArraySlice<UInt8>) -> Entry? {
        let host = unbracketed(host)
        guard let address = address(host), (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else {
            return nil
        }
        let isIPv4 = HostSyntax.isIPv4Address(host[...])
        let prefix = digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) } + (isIPv4 ? 96 : 0)
        return prefix <= 128 ? .network(address: address, prefix: prefix, port: nil) : nil
    }

    private static func splitPort(_ element: [UInt8]) -> (host: [UInt8], port: UInt16?) {
        guard let colon = element.lastIndex(of: .colon),
            let port = UInt16(String(decoding: element[(colon + 1)...], as: UTF8.self))
        else { return (element, nil) }
        return (Array(element[..<colon]), port)
    }

    private static func unbracketed(_ host: [UInt8]) -> [UInt8] {
        guard host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]"), host.count > 2 else { return host }
        return Array(host[1..<(host.count - 1)])
    }

    /// Without dots at its ends.
    private static func trimmed(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var name = name
        while name.first == .dot { name.removeFirst() }
        while name.last == .dot { name.removeLast() }
        return name
    }

    /// The 16 bytes of an address; nil for a name.
    private static func address(_ host: [UInt8]) -> [UInt8]? {
        let isIPv4 = HostSyntax.isIPv4Address(host[...])
        let groups = HostSyntax.ipv6Groups(isIPv4 ? Array("::ffff:".utf8) + host : host)
        return groups?.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }
}
