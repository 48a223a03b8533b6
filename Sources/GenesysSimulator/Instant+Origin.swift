package import GenesysLoop

extension Instant {
    /// The time since the clock's origin, the time of `SimulatedService`.
    package var sinceOrigin: Duration { .nanoseconds(nanoseconds) }

    /// The instant of a time of `SimulatedService`, rounded up so that a timer never fires early.
    package init(sinceOrigin: Duration) {
        let whole = sinceOrigin.wholeNanoseconds
        let isCut = whole < .max && Duration.nanoseconds(whole) < sinceOrigin
        self.init(nanoseconds: isCut ? whole + 1 : whole)
    }
}
