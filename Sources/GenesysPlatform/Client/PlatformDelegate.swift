/// What a `Platform` reports to its host.
///
/// - Thread: every call comes on the thread of the loop.
/// - Re-entrancy: every public call of `Platform` and `ProvisionedChannel` is legal inside.
/// - Retention: held weakly; without one nothing is reported.
public protocol PlatformDelegate: AnyObject {
    /// The first call is sent with a new token. `lifetime` is the rest of its life; nil if it is unknown.
    func platform(_ platform: Platform, didObtainToken lifetime: Duration?)

    /// The service refused a call because there were too many: no call starts before `delay` is over.
    func platform(_ platform: Platform, isThrottledFor delay: Duration)
}

extension PlatformDelegate {
    /// Does nothing.
    public func platform(_ platform: Platform, didObtainToken lifetime: Duration?) {}
    /// Does nothing.
    public func platform(_ platform: Platform, isThrottledFor delay: Duration) {}
}
