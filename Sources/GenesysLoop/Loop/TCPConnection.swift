internal import CUV

/// One TCP connection, established by `connect(to:)` or accepted by a `TCPListener`.
///
/// Dropping the last reference closes the connection, also inside its own callbacks. The owner gets no call after
/// `close()` or `abort()`. Nagle's algorithm is off, and keep-alive is on (60 s).
///
/// Bytes are written by `send` with `MSG_NOSIGNAL` (`SO_NOSIGPIPE` on macOS), not by libuv, whose `write` raises
/// SIGPIPE when the peer is gone. Bytes that the kernel does not accept at once are queued, see
/// `TCPConnection+Writing`.
@safe package final class TCPConnection: LoopTask {
    enum State: Equatable {
        case idle, connecting, connected, failed, closed
    }

    package let loop: UVLoop
    package let group: HandleGroup

    /// Unretained. Before the owner is destroyed it must be set to nil, or the connection closed or dropped.
    package unowned(unsafe) var owner: (any TCPConnectionOwner)?

    private(set) var state: State = .idle
    private var block: HandleBlock?
    private var request: ConnectRequest?
    private var relay: TaskRelay?

    // Reading.
    private var wantsInput = false
    private var isReading = false
    private var inputHasEnded = false

    // A failure to report at the end of the input, or in a task.
    private var latchedFailure: UVError?

    // Writing.
    var outbound = OutboundQueue()
    /// The owner is notified that the queue has drained when no more than this many bytes are queued. Default 0.
    package var lowWaterMark = 0
    /// How many bytes the kernel has accepted.
    package internal(set) var sentByteCount = 0
    /// How many bytes were read.
    private(set) var receivedByteCount = 0
    /// The owner is notified of every write from the queue, not only when the queue has drained.
    var reportsProgress = false
    var writability: WritabilityWatch?
    var wantsShutdown = false
    var outputHasEnded = false
    private var writeHasFailed = false
    /// Whether written bytes were dropped. All later bytes are dropped then.
    package var hasLostOutput: Bool { writeHasFailed || state == .failed || state == .closed }

    /// Creates an unconnected connection.
    ///
    /// - Precondition: called on `loop`'s thread.
    package init(loop: UVLoop, group: HandleGroup, owner: (any TCPConnectionOwner)? = nil) {
        loop.preconditionCurrent("TCPConnection.init")
        self.loop = loop
        self.group = group
        unsafe self.owner = owner
        do throws(UVError) {
            block = try unsafe HandleBlock(group: group, kind: uv_tcp_t.self, operation: "uv_tcp_init") { block in
                unsafe uv_tcp_init(loop.raw, cuv_block_tcp(block))
            }
        } catch {
            preconditionFailure("uv_tcp_init, which cannot fail without a socket, failed: \(error)")
        }
        block?.setOwner(self)
        loop.connectionCount += 1
    }

    deinit {
        close()
    }

    // MARK: Life

    /// Starts connecting.
    ///
    /// The result comes in a later callback, even after an immediate failure.
    ///
    /// - Precondition: only `init`, `write`, `startReading` and `shutdown` were called before.
    package func connect(to address: SocketAddress) {
        guard state == .idle, let block else {
            preconditionFailure("TCPConnection.connect(to: \(address)) in state \(state)")
        }
        state = .connecting
        let request = ConnectRequest(self)
        let code = request.start(on: block, to: address)
        guard code == 0 else { return failInTask(UVError(operation: "connect", code: code)) }
        self.request = request
    }

    /// Connects to a local socket, which accepts at once or not at all.
    ///
    /// The result comes in a later callback.
    ///
    /// - Precondition: as `connect(to:)`.
    package func connect(toSocket path: String) {
        guard state == .idle, let block else {
            preconditionFailure("TCPConnection.connect(toSocket:) in state \(state)")
        }
        state = .connecting
        // The path is a C string for the call.
        var code = unsafe cuv_local_connect(path, path.utf8.count)
        if code >= 0 {
            // The block is open, and takes the socket over unless it fails.
            let descriptor = code
            code = unsafe uv_tcp_open(block.tcp, descriptor)
            if code != 0 { cuv_close_descriptor(descriptor) }
        }
        guard code >= 0 else { return failInTask(UVError(operation: "connect", code: code)) }
        scheduleRelay()
    }

    /// Closes the connection and drops queued bytes.
    ///
    /// The owner gets no further call. Calling it again does nothing.
    ///
    /// The peer sees an orderly end, or a reset if unread bytes had arrived.
    package func close() {
        unsafe owner = nil
        guard let block else { return }
        state = .closed
        self.block = nil
        releaseResources()
        block.close()
        loop.connectionCount -= 1
    }

    /// Closes the connection with a reset: the peer is informed at once, and the kernel drops unsent bytes.
    package func abort() {
        if let descriptor { cuv_reset_on_close(descriptor) }
        close()
    }

    /// Ends everything that belongs to the connection except its handle.
    private func releaseResources() {
        unsafe request?.connection = nil
        request = nil
        unsafe relay?.target = nil
        relay = nil
        writability?.close()
        writability = nil
        outbound.removeAll()
    }

    /// Accepts a connection from `listener`.
    package func accept(from listener: HandleBlock) -> Int32 {
        guard let block else { return UV_EBADF.rawValue }
        // Both blocks are open.
        let code = unsafe uv_accept(listener.stream, block.stream)
        if code == 0 { becomeConnected() }
        return code
    }

    /// Whether queued bytes have all been sent.
    @discardableResult
    private func becomeConnected() -> Bool {
        guard let block else { return false }
        let hadQueue = !outbound.isEmpty
        state = .connected
        // The block is open. The connection works without either setting, so failures are ignored.
        _ = unsafe uv_tcp_nodelay(block.tcp, 1)
        _ = unsafe uv_tcp_keepalive(block.tcp, 1, 60)
        updateReading()
        return flush() && hadQueue
    }

    func connectDidEnd(_ status: Int32) {
        request = nil
        guard state == .connecting else { return }
        loop.inPass {
            guard status == 0 else { return fail(UVError(operation: "connect", code: status)) }
            // The strong local keeps the owner alive for the whole pass.
            let owner = unsafe self.owner
            let hasDrained = becomeConnected()
            owner?.connectionDidConnect(self)
            guard hasDrained, state == .connected, outbound.isEmpty else { return }
            unsafe self.owner?.connectionDidDrain(self)
        }
    }

    /// The socket, or nil if there is none.
    var descriptor: Int32? {
        guard let block else { return nil }
        // The block is open.
        let descriptor = unsafe cuv_tcp_descriptor(block.tcp)
        return descriptor < 0 ? nil : descriptor
    }

    /// Whether the process has fewer than this many file descriptors left, as far as the number of this one tells.
    package func isNearDescriptorLimit(_ count: Int32) -> Bool {
        guard let descriptor else { return false }
        return cuv_is_near_descriptor_limit(descriptor, count) != 0
    }

    // MARK: Reading

    /// Starts to report input, as soon as the connection is established.
    package func startReading() {
        wantsInput = true
        updateReading()
    }

    /// Leaves input, including the end of the stream and errors, in the kernel, which slows the peer down.
    package func stopReading() {
        wantsInput = false
        updateReading()
    }

    /// Whether input or its end waits in the kernel. It takes a system call.
    package var hasUnreadInput: Bool {
        guard state == .connected, !inputHasEnded, let descriptor else { return false }
        return cuv_has_input(descriptor) != 0
    }

    private func updateReading() {
        guard state == .connected, let block else { return }
        let shouldRead = wantsInput && !inputHasEnded
        guard shouldRead != isReading else { return }
        isReading = shouldRead
        // The block is open.
        if shouldRead {
            let code = unsafe uv_read_start(block.stream, allocateCallback, readCallback)
            if code != 0 { failInTask(UVError(operation: "read", code: code)) }
        } else {
            _ = unsafe uv_read_stop(block.stream)
            // Reports a write failure that waited for the rest of the input.
            if let failure = latchedFailure { failInTask(failure) }
        }
    }

    fileprivate func didRead(_ count: Int, _ base: UnsafeMutablePointer<CChar>?) {
        guard state == .connected else { return }
        loop.inPass {
            if count > 0 {
                receivedByteCount &+= count
                // The strong local keeps the owner alive for the whole pass; the loop's buffer is ours until we return.
                guard let owner = unsafe owner else { return stopReading() }
                unsafe owner.connection(self, didRead: UnsafeRawBufferPointer(start: base, count: count))
                return
            }
            inputHasEnded = true
            let failure = latchedFailure
            latchedFailure = nil
            updateReading()
            if let failure {
                fail(failure)
            } else if count == Int(UV_EOF.rawValue) {
                unsafe owner?.connectionDidReachEOF(self)
            } else {
                fail(UVError(operation: "read", code: Int32(count)))
            }
        }
    }

    // MARK: Failing

    /// A write found the connection broken.
    ///
    /// While input is read, the bytes that the peer sent before it left come first.
    func writeDidFail(_ error: UVError) {
        outbound.removeAll()
        writeHasFailed = true
        outputHasEnded = true
        writability?.close()
        writability = nil
        let isBroken = error.code == UV_ECONNRESET.rawValue || error.code == UV_EPIPE.rawValue
        if isBroken, isReading, latchedFailure == nil {
            latchedFailure = error
        } else {
            failInTask(error)
        }
    }

    /// Reports `error` in a separate task, never inside the call that met it.
    private func failInTask(_ error: UVError) {
        latchedFailure = error
        scheduleRelay()
    }

    private func scheduleRelay() {
        guard relay == nil else { return }
        let relay = TaskRelay(target: self)
        self.relay = relay
        loop.schedule(relay)
    }

    package func runTask() {
        relay = nil
        if let error = latchedFailure {
            fail(error)
        } else {
            connectDidEnd(0)
        }
    }

    /// Reports a failure: changes the state first, then calls out. No other function reports failures.
    private func fail(_ error: UVError) {
        guard state == .connecting || state == .connected else { return }
        let wasConnected = state == .connected
        inputHasEnded = true
        outputHasEnded = true
        latchedFailure = nil
        updateReading()
        state = .failed
        releaseResources()
        // The strong local keeps the owner alive for the whole pass.
        let owner = unsafe self.owner
        if wasConnected {
            owner?.connection(self, didFailWith: error)
        } else {
            owner?.connection(self, didFailToConnect: error)
        }
    }
}

/// Lends the loop's buffer until the read callback that follows.
private func allocateCallback(
    _ handle: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    guard let connection = unsafe HandleBlock.owner(handle?.pointee.data, as: TCPConnection.self) else { return }
    let lent = unsafe connection.loop.ciphertextBuffer
    unsafe buffer?.pointee = unsafe uv_buf_init(
        lent.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(lent.count))
}

private func readCallback(
    _ stream: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?
) {
    guard count != 0, let connection = unsafe HandleBlock.owner(stream?.pointee.data, as: TCPConnection.self) else {
        return
    }
    unsafe connection.didRead(count, buffer?.pointee.base)
}
