/// What `MetricsServer` serves. Both closures are called on the loop's thread, for each request.
struct MetricsContent {
    /// The metrics in Prometheus' text format.
    let metrics: () -> [UInt8]
    /// Why the program is not ready, in one sentence; nil if it is.
    let obstacle: () -> String?
}
