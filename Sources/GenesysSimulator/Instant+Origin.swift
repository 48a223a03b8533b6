package import GenesysLoop

extension Instant {
    /// The time since the clock's origin, as `SimulatedService` takes it.
    package var sinceOrigin: Duration { .nanoseconds(nanoseconds) }

    /// The instant at a time that `SimulatedService` gave, rounded up so that a timer never fires early.
    package init(sinceOrigin: Duration) {
        let whole = sinceOrigin.wholeNanoseconds
        let isCut = whole < .max && Duration.nanoseconds(whole) < sinceOrigin
        self.init(nanoseconds: isCut ? whole + 1 : whole)
    }
}
