/// What a client of `MetricsServer` may take up.
struct MetricsLimits {
    /// From the connection, or from the first byte of a later request, to the end of the request's head.
    var head: Duration = .seconds(5)
    /// From an answer to the next request.
    var idle: Duration = .seconds(60)
    /// From an answer until the kernel has taken all of it.
    var answer: Duration = .seconds(10)
    /// From the last answer until the client has ended the connection too.
    var linger: Duration = .seconds(1)
    /// The bytes of a request's head.
    var headByteCount = 8_192
    /// The connections that are served at a time; and how many others may be receiving a refusal.
    var connectionCount = 32
    /// The time between attempts to listen again.
    var pause: Duration = .seconds(5)
    /// The file descriptors that are left to the channel, to connect again and to move.
    var reservedDescriptorCount: Int32 = 8
}
