import Foundation

@testable import GenesysLoop

/// A loop on its own thread, so that a test can wait for actors on it without blocking a thread.
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

    /// Makes `run()` return, and waits for that.
    func stop() async {
        let anchor = unsafe LoopAnchor(anchor)
        loop.execute { anchor.end() }
        for await _ in end.stream {}
    }
}

/// The anchor belongs to the loop's thread and is used only there.
@safe private struct LoopAnchor: Sendable {
    private nonisolated(unsafe) let anchor: Anchor
    init(_ anchor: Anchor) { unsafe self.anchor = anchor }
    func end() { unsafe anchor.end() }
}
