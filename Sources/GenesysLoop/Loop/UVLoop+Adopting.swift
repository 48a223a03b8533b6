public import CUV

extension UVLoop {
    /// Joins a libuv loop that the program runs itself.
    ///
    /// The library never runs, stops, walks or closes the loop. Until `detach(completion:)` takes effect it keeps one
    /// handle on the loop, which does not keep `uv_run` from returning. Call `detach(completion:)` before you close the
    /// loop. If you drop the `UVLoop` without it (on the loop's thread), run the loop once more before you close it.
    ///
    /// Until the first callback, the calling thread counts as the loop's thread. The first callback binds the thread on
    /// which it runs.
    ///
    /// - Parameter loop: initialized, and alive until `detach(completion:)` has taken effect.
    /// - Throws: `UVLoopError` if the system has no resource left. Nothing is left on the loop then.
    /// - Precondition: called on the thread that runs the loop, or while no thread does.
    public convenience init(adopting loop: UnsafeMutablePointer<uv_loop_t>) throws(UVLoopError) {
        do throws(UVError) {
            try unsafe self.init(raw: loop, isAdopted: true)
        } catch {
            throw UVLoopError(error)
        }
    }
}
