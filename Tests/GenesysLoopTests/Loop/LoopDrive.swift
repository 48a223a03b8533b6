import CUV

@testable import GenesysLoop

/// Who runs a loop, and how: we, or a program that owns it.
enum LoopDrive: String, CaseIterable, Sendable {
    case own, adopted, adoptedWithoutWaiting, adoptedOnceAtATime

    /// Runs `body` with a loop, and takes leave of it.
    func withLoop(_ body: (UVLoop) throws -> Void) throws {
        guard self != .own else { return try body(UVLoop()) }
        let foreign = ForeignLoop()
        do {
            let loop = try unsafe UVLoop(adopting: foreign.raw)
            try body(loop)
            loop.detach {}
            _ = foreign.run()
        }
        guard foreign.close() == 0 else { throw UVError(operation: "uv_loop_close", code: UV_EBUSY.rawValue) }
    }

    /// Runs the loop until nothing is open on it.
    func run(_ loop: UVLoop, until isOver: () -> Bool = { false }) {
        guard self != .own else { return loop.run() }
        repeat {} while turn(loop) && !isOver()
    }

    /// Calls `uv_run` once; whether anything is alive.
    func turn(_ loop: UVLoop) -> Bool {
        let mode =
            switch self {
            case .own, .adopted: UV_RUN_DEFAULT
            case .adoptedWithoutWaiting: UV_RUN_NOWAIT
            case .adoptedOnceAtATime: UV_RUN_ONCE
            }
        // The loop is alive: the caller holds it.
        return unsafe uv_run(loop.raw, mode) != 0
    }

    func stop(_ loop: UVLoop) {
        // The loop is alive: the caller holds it.
        if self == .own { loop.stop() } else { unsafe uv_stop(loop.raw) }
    }
}

extension UVLoop {
    /// Keeps the loop from turning: time must pass, and nothing else may happen.
    func block(for duration: Duration) {
        let end = now.instant + duration
        while now.instant < end {}
    }
}
