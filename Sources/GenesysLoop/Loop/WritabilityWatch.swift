internal import CUV

/// Notifies a connection when its full socket accepts bytes again.
///
/// libuv would do so only if it wrote the bytes itself, with `write(2)` and SIGPIPE. So a second descriptor, which
/// exists only while bytes are queued, watches the socket.
@safe final class WritabilityWatch {
    private let block: HandleBlock
    private let duplicate: Int32
    private let events = Int32(UV_WRITABLE.rawValue)

    /// Unretained: the connection owns the watch and closes it before it is destroyed.
    private unowned(unsafe) var connection: TCPConnection?

    init(descriptor: Int32, connection: TCPConnection) throws(UVError) {
        let duplicate = cuv_duplicate(descriptor)
        guard duplicate >= 0 else { throw UVError(operation: "write", code: duplicate) }
        do throws(UVError) {
            block = try unsafe HandleBlock(group: connection.group, kind: uv_poll_t.self, operation: "write") { block in
                unsafe uv_poll_init(connection.loop.raw, cuv_block_poll(block), duplicate)
            }
        } catch {
            cuv_close_descriptor(duplicate)
            throw error
        }
        self.duplicate = duplicate
        unsafe self.connection = connection
        block.setOwner(self)
        start()
    }

    /// Ends the watch.
    ///
    /// To be called exactly once.
    func close() {
        unsafe connection = nil
        // `uv_close` removes the descriptor from the poll set, which must happen before it is closed.
        block.close()
        cuv_close_descriptor(duplicate)
    }

    private func start() {
        // The block is open.
        _ = unsafe uv_poll_start(block.poll, events, pollCallback)
    }

    fileprivate func didPoll(_ status: Int32) {
        guard let connection = unsafe connection else { return }
        // libuv stops a watch when it reports an error; the next attempt to send returns the error.
        if status < 0 { start() }
        connection.didBecomeWritable()
    }
}

private func pollCallback(_ handle: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32) {
    guard let watch = unsafe HandleBlock.owner(handle?.pointee.data, as: WritabilityWatch.self) else { return }
    watch.didPoll(status)
}
