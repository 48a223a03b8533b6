/// Whether a channel or a client connects through a proxy.
///
/// A proxy sees the name and the port of the server and, over `wss:`, nothing else. It resolves the name: none is
/// looked up here but its own.
public enum ProxySetting: Hashable, Sendable {
    /// Connects directly, whatever the environment says. The default.
    case none
    /// What the environment says, as other programs read it.
    ///
    /// For `wss:` the first of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY` that is not empty, a URI as
    /// `ProxyURI` takes it, or `host:port` for one of `http://`. For `ws:` it is `http_proxy`, only in small letters,
    /// as programs started by a web server hold a header of the request in `HTTP_PROXY`; then `all_proxy` and
    /// `ALL_PROXY`.
    ///
    /// `no_proxy`, or else `NO_PROXY`, lists hosts to be connected to directly, with commas or white space (line breaks
    /// too) between them: names, which stand for all names under them too, with a dot before them or not; addresses;
    /// networks such as `10.0.0.0/8` or `fd00::/8`; each but the networks with a `:port` behind it if it is for that
    /// port alone; `*` for all. An address is compared with what the URI of the channel has, which is not looked up for
    /// it.
    ///
    /// White space at the ends of a variable does not count. The environment is read when the first channel or client
    /// with a configuration is made on a loop. What cannot be used is a failure there and then with the reason `proxy`,
    /// never a direct connection.
    case environment
    /// This proxy, for every host.
    case url(ProxyURI)
}
