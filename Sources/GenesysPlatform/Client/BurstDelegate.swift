internal import GenesysLoop

/// Holds the delegate of a driver while notifications come in a burst.
///
/// To load a weak reference, and to release what it gave, takes as much as a tenth of a notification. So from the
/// second notification in a pass of the loop on, the delegate is held until the pass ends. What comes alone costs no
/// more than the weak reference.
final class BurstDelegate<Delegate>: LoopTask {
    final class Held {
        let delegate: Delegate

        init(_ delegate: Delegate) {
            self.delegate = delegate
        }
    }

    /// Nil outside a burst.
    private(set) var held: Held?
    private var lastPass: Int?

    /// A notification goes to the delegate, which is not held.
    func willCall(_ delegate: Delegate, on loop: UVLoop) {
        guard loop.isInPass, lastPass == loop.passNumber else { return lastPass = loop.passNumber }
        held = Held(delegate)
        loop.schedule(self)
    }

    /// The delegate changed, or makes its terminal call.
    func end() { held = nil }

    package func runTask() { end() }
}
