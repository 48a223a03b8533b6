internal import CUV

extension TCPConnection {
    /// The number of bytes that the kernel has not accepted yet.
    package var queuedByteCount: Int { outbound.byteCount }

    /// Sends the bytes that the kernel accepts at once and queues the rest.
    ///
    /// All bytes are queued until the connection is established, and dropped after `shutdown()`, a failure or
    /// `close()`. A failure is reported in a later callback.
    package func write(_ bytes: Span<UInt8>) {
        guard canWrite, !bytes.isEmpty else { return }
        var sent = 0
        if state == .connected, outbound.isEmpty {
            // The span's memory is borrowed for the call.
            let outcome = unsafe bytes.withUnsafeBufferPointer { unsafe send(UnsafeRawBufferPointer($0)) }
            guard let outcome else { return }
            sent = outcome
        }
        guard sent < bytes.count else { return }
        outbound.append(bytes.extracting(sent...))
        watchWritability()
    }

    /// Sends `bytes`. If the queue is empty, bytes are queued without a copy.
    package func write(_ bytes: [UInt8]) {
        guard canWrite, !bytes.isEmpty else { return }
        guard outbound.isEmpty else { return write(bytes.span) }
        var sent = 0
        if state == .connected {
            // The array's memory is borrowed for the call.
            let outcome = unsafe bytes.withUnsafeBytes { unsafe send($0) }
            guard let outcome else { return }
            sent = outcome
        }
        guard sent < bytes.count else { return }
        outbound.take(bytes, from: sent)
        watchWritability()
    }

    /// Ends the output after all queued bytes; input continues.
    ///
    /// Calling it again does nothing.
    package func shutdown() {
        guard canWrite else { return }
        wantsShutdown = true
        if state == .connected, outbound.isEmpty { endOutput() }
    }

    private var canWrite: Bool {
        switch state {
        case .idle, .connecting, .connected: return !wantsShutdown && !outputHasEnded
        case .failed, .closed: return false
        }
    }

    private func endOutput() {
        outputHasEnded = true
        if let descriptor { cuv_shutdown_output(descriptor) }
    }

    /// The socket may be writable again: sends queued bytes.
    ///
    /// - Returns: whether the queue is empty and no write failed.
    @discardableResult
    func flush() -> Bool {
        guard state == .connected, !outputHasEnded else { return false }
        while !outbound.isEmpty {
            // The queue does not change during the call.
            let outcome = unsafe outbound.withUnsafeBytes { unsafe send($0) }
            guard let outcome else { return false }
            guard outcome > 0 else {
                watchWritability()
                return false
            }
            outbound.consume(outcome)
        }
        writability?.close()
        writability = nil
        if wantsShutdown { endOutput() }
        return true
    }

    /// The number of accepted bytes: 0 if the socket is full, nil after a failure, which has been handled.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let descriptor, let base = bytes.baseAddress else { return nil }
        // The caller lends the memory for the call.
        let count = unsafe cuv_send(descriptor, base, bytes.count)
        if count >= 0 {
            sentByteCount += count
            return count
        }
        if count == Int(UV_EAGAIN.rawValue) { return 0 }
        writeDidFail(UVError(operation: "write", code: Int32(count)))
        return nil
    }

    private func watchWritability() {
        guard state == .connected, writability == nil, let descriptor else { return }
        do throws(UVError) {
            writability = try WritabilityWatch(descriptor: descriptor, connection: self)
        } catch {
            writeDidFail(error)
        }
    }

    /// The callback of the watch.
    func didBecomeWritable() {
        guard state == .connected, !outbound.isEmpty else { return }
        loop.inPass {
            let wasAbove = outbound.byteCount > lowWaterMark
            let isDrained = flush()
            // After a failure the queue is empty without having drained.
            guard !outbound.isEmpty || isDrained else { return }
            let isBelow = outbound.byteCount <= lowWaterMark
            guard isDrained || (wasAbove && isBelow) || reportsProgress else { return }
            unsafe owner?.connectionDidDrain(self)
        }
    }
}

/// Bytes that wait for the kernel: one array with a start offset.
@safe struct OutboundQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var byteCount: Int { bytes.count - start }
    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ more: Span<UInt8>) {
        compact()
        // The span's memory is borrowed for the call.
        unsafe more.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    /// Makes `more`, from `offset` on, the queue without a copy.
    ///
    /// - Precondition: the queue is empty.
    mutating func take(_ more: [UInt8], from offset: Int) {
        precondition(isEmpty, "OutboundQueue.take with \(byteCount) bytes waiting")
        bytes = more
        start = offset
    }

    mutating func consume(_ count: Int) {
        start += count
        if isEmpty { removeAll() }
    }

    mutating func removeAll() {
        // Frees the memory: a connection that is not congested needs none.
        bytes = []
        start = 0
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        // Borrowed for the call.
        unsafe bytes.withUnsafeBytes { buffer in unsafe body(UnsafeRawBufferPointer(rebasing: buffer[start...])) }
    }

    /// Moves the waiting bytes to the front when more than half of the array is spent, which keeps appending linear.
    private mutating func compact() {
        guard start > bytes.count / 2 else { return }
        bytes.removeSubrange(..<start)
        start = 0
    }
}
