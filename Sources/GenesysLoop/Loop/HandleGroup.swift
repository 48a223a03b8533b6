internal import CUV

/// Counts the open uv handles of one owner (a channel, a client, an accepted connection).
///
/// A closed handle is open, in this sense, until libuv called its close callback: only then are its memory and its
/// socket gone. Held by the handles' blocks, so it outlives the wrappers as long as needed.
@safe package final class HandleGroup {
    /// The group's handles that libuv still knows.
    package private(set) var openCount = 0

    private let ledger: HandleRegistry
    private var waiting: [any LoopTask] = []

    /// Creates an empty group on `loop`.
    package convenience init(loop: UVLoop) {
        self.init(ledger: loop.ledger)
    }

    init(ledger: HandleRegistry) {
        self.ledger = ledger
    }

    /// Schedules `pass` on the loop as soon as no handle of the group is left, or at once when none is.
    ///
    /// The pass runs after the last close callback returned, never inside it.
    package func whenEmpty(_ pass: any LoopTask) {
        guard openCount == 0 else { return waiting.append(pass) }
        unsafe ledger.loop?.schedule(pass)
    }

    /// Whether the loop was made before a `fork()` that this process is the child of.
    var isInherited: Bool { ledger.isInherited }

    func handleDidOpen(_ block: UnsafeMutablePointer<cuv_block>) {
        openCount += 1
        unsafe ledger.handleDidOpen(block)
    }

    /// The memory of a handle that libuv forgot is about to be freed.
    func handleWillDie(_ block: UnsafeMutablePointer<cuv_block>) {
        unsafe ledger.handleWillDie(block)
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
