/// What lives on a loop between its `open()` and its terminal call, and can be closed by it.
package protocol LoopResident: AnyObject {
    /// As the public `close()`, without arguments.
    func closeResident()
}
