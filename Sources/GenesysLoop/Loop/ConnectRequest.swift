internal import CUV

/// The request of one connection attempt.
///
/// libuv retains the box until it calls the callback. It calls it exactly once, with `UV_ECANCELED` if the handle is
/// closed first.
@safe final class ConnectRequest {
    /// Unretained; cleared when the connection is closed or dies, so that a late callback reaches no owner.
    unowned(unsafe) var connection: TCPConnection?

    private let request: UnsafeMutablePointer<uv_connect_t>

    init(_ connection: TCPConnection) {
        unsafe self.connection = connection
        unsafe request = .allocate(capacity: 1)
        unsafe request.initialize(to: uv_connect_t())
    }

    deinit {
        // Not before the callback, which drops libuv's reference.
        unsafe request.deallocate()
    }

    /// Starts connecting.
    ///
    /// - Returns: 0, or the code of an immediate failure, which no callback follows.
    func start(on handle: HandleBlock, to address: SocketAddress) -> Int32 {
        // Released in the callback, or here if no callback follows.
        let retained = unsafe Unmanaged.passRetained(self)
        unsafe request.pointee.data = retained.toOpaque()
        var raw = address.raw
        let code = unsafe cuv_tcp_connect(request, handle.tcp, &raw, connectCallback)
        if code != 0 { unsafe retained.release() }
        return code
    }
}

private func connectCallback(_ request: UnsafeMutablePointer<uv_connect_t>?, _ status: Int32) {
    guard let data = unsafe request?.pointee.data else { return }
    // The only place that releases a started request.
    let box = unsafe Unmanaged<ConnectRequest>.fromOpaque(data).takeRetainedValue()
    guard let connection = unsafe box.connection else { return }
    connection.connectDidEnd(status)
}
