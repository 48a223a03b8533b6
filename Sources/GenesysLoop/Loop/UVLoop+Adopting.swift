public import CUV

extension UVLoop {
    /// Joins a libuv loop that the program runs itself.
    ///
    /// The library then never runs, stops, walks or closes it. It keeps one handle on the loop, which does not keep
    /// `uv_run` from returning, until `detach(completion:)` took effect. Call that before closing the loop. If the
    /// event loop is dropped without it (on the loop's thread), the loop must be run once more before it is closed.
    ///
    /// The loop's thread is taken to be the calling one until the first callback, which binds the thread it runs on.
    ///
    /// - Parameter loop: initialized, and alive until detached from.
    /// - Throws: `UVLoopError` when the system has no resource left; nothing is left on the loop then.
    /// - Precondition: called on the thread that runs the loop, or while no thread does.
    public convenience init(adopting loop: UnsafeMutablePointer<uv_loop_t>) throws {
        do throws(UVError) {
            try unsafe self.init(raw: loop, isAdopted: true)
        } catch {
            throw UVLoopError(error)
        }
    }
}
