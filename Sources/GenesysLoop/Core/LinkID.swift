/// Names one physical connection of a channel.
///
/// Inputs from a link that is not current are ignored by the machine, which is what makes rollovers and late callbacks
/// safe.
package struct LinkID: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// Names one URI a channel was given: 0 is the first, each other URI adds one.
///
/// The URI itself is a secret and stays with the driver.
package struct EndpointID: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}
