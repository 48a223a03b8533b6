import CUV
import GenesysLoop
import GenesysSimulator
import Testing

@Suite(.timeLimit(.minutes(patience(5)))) struct AdoptedLoopTests {
    @Test func `after close and detach a host finds its loop as it was`() throws {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        let timer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
        let pipe = UnsafeMutablePointer<uv_pipe_t>.allocate(capacity: 1)
        // All three are closed before they are freed, at the end.
        defer {
            unsafe raw.deallocate()
            unsafe timer.deallocate()
            unsafe pipe.deallocate()
        }
        #expect(unsafe uv_loop_init(raw) == 0)
        var ticks = 0
        try unsafe withUnsafeMutablePointer(to: &ticks) { ticks in
            unsafe uv_timer_init(raw, timer)
            unsafe timer.pointee.data = UnsafeMutableRawPointer(ticks)
            let tick: uv_timer_cb = { handle in
                unsafe handle?.pointee.data.assumingMemoryBound(to: Int.self).pointee += 1
            }
            unsafe uv_timer_start(timer, tick, 1, 1)
            unsafe uv_unref(cuv_timer_handle(timer))
            unsafe uv_pipe_init(raw, pipe, 0)
            try unsafe runAndLeave(raw)
            // A loop without referenced handles would not run.
            unsafe uv_ref(cuv_timer_handle(timer))
            let before = unsafe ticks.pointee
            #expect(before > 0)
            #expect(unsafe handles(on: raw) == [UV_TIMER.rawValue, UV_NAMED_PIPE.rawValue])
            while unsafe ticks.pointee == before { unsafe _ = uv_run(raw, UV_RUN_ONCE) }
        }
        unsafe uv_close(cuv_timer_handle(timer), nil)
        unsafe uv_close(UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_handle_t.self), nil)
        unsafe _ = uv_run(raw, UV_RUN_DEFAULT)
        #expect(unsafe uv_loop_close(raw) == 0)
    }

    /// A channel and its service run on the loop, close, and leave it.
    private func runAndLeave(_ raw: UnsafeMutablePointer<uv_loop_t>) throws {
        let loop = try unsafe UVLoop(adopting: raw)
        let playground = try Playground(on: loop)
        let host = RecordingHost()
        var hasLeft = false
        host.onNotification = { if host.notifications.count == 20 { $0.close() } }
        host.onEvent = { event, _ in
            guard event == .closed else { return }
            playground.server.close { loop.detach { hasLeft = true } }
        }
        try playground.channel(host).open()
        unsafe _ = uv_run(raw, UV_RUN_DEFAULT)
        #expect(host.events == [.subscribed, .closed])
        #expect(hasLeft)
        host.forget()
    }

    /// The types of the open handles on the loop, sorted by number.
    private func handles(on raw: UnsafeMutablePointer<uv_loop_t>) -> [UInt32] {
        var types: [UInt32] = []
        unsafe withUnsafeMutablePointer(to: &types) { types in
            let note: uv_walk_cb = { handle, types in
                guard let handle = unsafe handle else { return }
                unsafe types?.assumingMemoryBound(to: [UInt32].self).pointee.append(handle.pointee.type.rawValue)
            }
            unsafe uv_walk(raw, note, types)
        }
        return types.sorted { $0 == UV_TIMER.rawValue && $1 != UV_TIMER.rawValue }
    }
}
