import Foundation

@testable import GenesysLoop

/// A loop that a thread of its own runs, so that a test can wait for what actors on it do without holding a thread.
@safe final class LoopThread: Sendable {
    let loop: UVLoop
    private nonisolated(unsafe) let anchor: Anchor
    private let end = AsyncStream<Never>.makeStream()

    init() throws {
        loop = try UVLoop()
        unsafe anchor = Anchor(loop)
        let (loop, end) = (loop, end.continuation)
        Thread {
            loop.run()
            end.finish()
        }.start()
    }

    /// Lets `run()` return, and waits for it.
    func stop() async {
        let anchor = unsafe LoopAnchor(anchor)
        loop.execute { anchor.end() }
        for await _ in end.stream {}
    }
}

/// The anchor belongs to the loop's thread, where alone it is used.
@safe private struct LoopAnchor: Sendable {
    private nonisolated(unsafe) let anchor: Anchor
    init(_ anchor: Anchor) { unsafe self.anchor = anchor }
    func end() { unsafe anchor.end() }
}
