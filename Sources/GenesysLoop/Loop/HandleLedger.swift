/// The count of all uv handles of one loop, from their initialization to their close callback.
///
/// It is an object of its own because close callbacks on an adopted loop may run after the `EventLoop` died.
final class HandleLedger {
    /// Unretained; cleared by the loop's `deinit`.
    unowned(unsafe) var loop: EventLoop?

    /// Handles that libuv still knows.
    private(set) var openCount = 0

    /// Called once each, in order, when the last handle is gone.
    var completions: [() -> Void] = []

    func handleDidOpen() {
        openCount += 1
    }

    func handleDidClose() {
        openCount -= 1
        unsafe loop?.considerDetaching()
        guard openCount == 0 else { return }
        let completions = self.completions
        self.completions = []
        for completion in completions { completion() }
    }
}
