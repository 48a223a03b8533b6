/// Counts the open uv handles of one owner (a channel, a client, an accepted connection).
///
/// A closed handle is open, in this sense, until libuv called its close callback: only then are its memory and its
/// socket gone. Held by the handles' blocks, so it outlives the wrappers as long as needed.
package final class HandleGroup {
    /// The group's handles that libuv still knows.
    package private(set) var openCount = 0

    private let ledger: HandleLedger
    private var waiting: [any LoopPass] = []

    /// Creates an empty group on `loop`.
    package convenience init(loop: EventLoop) {
        self.init(ledger: loop.ledger)
    }

    init(ledger: HandleLedger) {
        self.ledger = ledger
    }

    /// Schedules `pass` on the loop as soon as no handle of the group is left, or at once when none is.
    ///
    /// The pass runs after the last close callback returned, never inside it.
    package func whenEmpty(_ pass: any LoopPass) {
        guard openCount == 0 else { return waiting.append(pass) }
        unsafe ledger.loop?.schedule(pass)
    }

    func handleDidOpen() {
        openCount += 1
        ledger.handleDidOpen()
    }

    func handleDidClose() {
        openCount -= 1
        if openCount == 0 {
            let passes = waiting
            waiting = []
            for pass in passes { unsafe ledger.loop?.schedule(pass) }
        }
        ledger.handleDidClose()
    }
}
