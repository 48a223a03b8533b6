extension SimulatedService.Configuration {
    /// Tokens of the OAuth client.
    public struct Tokens: Hashable, Sendable {
        /// Whether the REST side requires a token; if not, it serves requests without one; default false.
        public var areRequired = false
        /// The id of the client.
        public var clientID = "simulated-client"
        /// The secret of the client.
        public var clientSecret = "simulated-secret"
        /// Whether the client may have tokens; if not, those that it has end.
        ///
        /// Default `.active`.
        public var clientState: ClientState = .active
        /// The life of a token, scaled; default 86,399 s.
        ///
        /// The answer names it in whole seconds, rounded down, but at least 1.
        public var life: Duration = .seconds(86_399)
        /// The maximum number of live tokens; one more ends the oldest; default 100.
        public var maxLiveCount = 100
        /// Whether the channels of a token end with it; default true.
        public var endChannels = true
        /// Whether the channel of another token is answered with 404; if not, with 403; default true.
        public var hidesForeignChannels = true

        /// What the service knows of the client.
        public enum ClientState: Hashable, Sendable {
            /// It gets tokens.
            case active
            /// An administrator has disabled it.
            case disabled
            /// It is a client of another region.
            case unknown
        }
    }

    /// Rate limits of the REST side, applied as long as it requires tokens.
    ///
    /// The minutes are scaled.
    public struct Rates: Hashable, Sendable {
        /// The maximum number of requests of a token per minute; default 300.
        public var requestsPerMinute = 300
        /// The maximum number of channels that the client creates per minute; default 60.
        public var creationsPerMinute = 60
        /// The `Retry-After` of a request beyond a limit.
        ///
        /// Default `.remaining`.
        public var retryAfter: RetryAfter = .remaining

        /// The `Retry-After` of a request beyond a limit.
        public enum RetryAfter: Hashable, Sendable {
            /// The rest of the minute, in whole seconds, rounded up.
            case remaining
            /// This number of seconds, not scaled.
            case seconds(Int)
            /// None.
            case absent
        }
    }

    /// How the driver writes answers of the REST side.
    public struct Wire: Hashable, Sendable {
        /// Whether a connection serves several requests; default false: the answer ends it.
        public var keepsConnections = false
        /// Whether the names of header fields are in lower case; default false.
        public var lowercasesNames = false
        /// Whether bodies are in chunks (RFC 9112 §7.1) instead of having a length; default false.
        public var isChunked = false
        /// Whether answers are of HTTP/1.0, with a body that ends with the connection; default false.
        public var isHTTP10 = false
        /// Whether `100 Continue` precedes every answer, although the request expected none; default false.
        public var sendsContinue = false
    }
}
