/// How a link ended, as reported by the driver.
package struct LinkEnd: Equatable, Sendable {
    /// Why; the machine sets its kind.
    package var failure: ChannelFailure
    /// The code of the Close frame that the peer sent (1005 for an empty one); nil when the link ended without one.
    package var closeCode: UInt16?

    package init(failure: ChannelFailure, closeCode: UInt16? = nil) {
        self.failure = failure
        self.closeCode = closeCode
    }

    /// Whether the peer sent a Close frame: everything it sent before was received.
    package var isClean: Bool { closeCode != nil }
}
