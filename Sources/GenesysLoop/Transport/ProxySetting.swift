/// Whether a channel or a client connects through a proxy.
///
/// A proxy sees the name and the port of the server and, over `wss:`, nothing else. It resolves the name of the server;
/// only its own name is resolved on this machine.
public enum ProxySetting: Hashable, Sendable {
    /// Connects directly and ignores the environment. The default.
    case none
    /// The proxy of the environment, with the variables that other programs use.
    ///
    /// For `wss:` this is the first of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY` that is not empty: a
    /// URI that `ProxyURI` accepts, or `host:port` for an `http://` proxy. For `ws:` it is `http_proxy`, then
    /// `all_proxy` and `ALL_PROXY`. `HTTP_PROXY` is ignored: in programs that a web server started it holds a header of
    /// the request.
    ///
    /// `no_proxy`, or else `NO_PROXY`, lists the hosts to connect to directly, separated by commas or white space
    /// (including line breaks): names, with or without a leading dot, which match all names under them too; addresses;
    /// networks such as `10.0.0.0/8` or `fd00::/8`; `*` for all. A `:port` after a name or an address limits it to that
    /// port. Addresses are compared with the host of the channel's URI, which is not resolved for this.
    ///
    /// White space at the ends of a variable is ignored. The environment is read when the first channel or client with
    /// a configuration is made on a loop. A value that cannot be used fails that call with the reason `proxy`; it never
    /// leads to a direct connection.
    case environment
    /// This proxy, for every host.
    case url(ProxyURI)
}
