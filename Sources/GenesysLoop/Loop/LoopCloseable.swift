/// What lives on a loop between its `open()` and its terminal call, and can be closed by it.
package protocol LoopCloseable: AnyObject {
    /// As the public `close()`, without arguments.
    func closeByLoop()
}
