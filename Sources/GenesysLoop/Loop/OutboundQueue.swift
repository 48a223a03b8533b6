/// Bytes that wait for the kernel, in one array with a start offset.
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

    /// Makes `more` the queue, from `offset` on, without a copy.
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
        // Gives the memory back: a connection that is not congested needs none.
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
