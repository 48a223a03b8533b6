internal import CUV
package import GenesysLoop

/// The receiver of a `TCPListener`'s events.
package protocol TCPListenerOwner: AnyObject {
    /// A connection came in. The owner owns it; dropping it closes it.
    func listener(_ listener: TCPListener, didAccept connection: TCPConnection)

    /// The listener failed and closed itself.
    func listener(_ listener: TCPListener, didFailWith error: UVError)
}

/// A listening TCP socket, for the simulator, the metrics of the tool, and the tests.
///
/// It keeps the loop running until it is closed or dropped.
///
/// When the process has no file descriptor left, incoming connections are accepted and closed at once, as libuv itself
/// does while it can: in the backlog they would only keep the loop busy.
@safe package final class TCPListener {
    package let loop: UVLoop
    package let group: HandleGroup

    /// Unretained: set it to nil, or close or drop the listener, before the owner is deallocated.
    package unowned(unsafe) var owner: (any TCPListenerOwner)?

    /// How many of the process's file descriptors are left to others: when fewer are free, incoming connections are
    /// reset. Default 0.
    package var reservedDescriptorCount: Int32 = 0

    private var block: HandleBlock?
    private var spareDescriptor: Int32 = -1
    private var isShedding = false

    /// Creates a listener that is not bound.
    ///
    /// - Precondition: called on `loop`'s thread.
    package init(loop: UVLoop, group: HandleGroup, owner: (any TCPListenerOwner)? = nil) {
        loop.preconditionCurrent("TCPListener.init")
        self.loop = loop
        self.group = group
        unsafe self.owner = owner
    }

    deinit { close() }

    /// Binds to a numeric address and listens.
    ///
    /// - Parameters:
    ///   - port: 0 lets the system choose; see `localPort`.
    ///   - backlog: how many connections may wait for a turn of the loop.
    package func bind(host: String = "127.0.0.1", port: UInt16 = 0, backlog: Int32 = 1_024) throws(UVError) {
        guard let address = SocketAddress(numeric: host, port: port) else {
            throw UVError(operation: "bind", code: UV_EINVAL.rawValue)
        }
        close(keepingOwner: true)
        let loop = self.loop
        let block = try unsafe HandleBlock(group: group, kind: uv_tcp_t.self, operation: "bind") { block in
            unsafe uv_tcp_init(loop.raw, cuv_block_tcp(block))
        }
        self.block = block
        block.setOwner(self)
        var raw = address.raw
        // The block is open; the address lives for the call.
        var operation = "bind"
        var code = unsafe cuv_tcp_bind(block.tcp, &raw)
        if code == 0 {
            operation = "listen"
            code = unsafe uv_listen(block.stream, backlog, connectionCallback)
        }
        guard code == 0 else {
            close(keepingOwner: true)
            throw UVError(operation: operation, code: code)
        }
        spareDescriptor = cuv_open_spare()
    }

    /// The address it is bound to; nil when it is not.
    package var localAddress: SocketAddress? {
        guard let block else { return nil }
        var raw = cuv_address()
        // The block is open; the result lives for the call.
        return unsafe cuv_tcp_local_address(block.tcp, &raw) == 0 ? SocketAddress(raw) : nil
    }

    /// The port it is bound to; 0 when it is not.
    package var localPort: UInt16 { localAddress?.port ?? 0 }

    /// Stops listening; its owner receives no further events.
    ///
    /// Calling it again does nothing.
    package func close() {
        close(keepingOwner: false)
    }

    private func close(keepingOwner: Bool) {
        if !keepingOwner { unsafe owner = nil }
        if spareDescriptor >= 0 { cuv_close_descriptor(spareDescriptor) }
        spareDescriptor = -1
        guard let block else { return }
        self.block = nil
        block.close()
    }

    fileprivate func connectionDidArrive(_ status: Int32) {
        guard let block else { return }
        loop.inPass {
            guard status == 0 else { return acceptDidFail(status) }
            let connection = TCPConnection(loop: loop, group: HandleGroup(loop: loop))
            guard connection.accept(from: block) == 0 else { return }
            if isShedding, !regainSpareDescriptor() {
                connection.abort()
                _ = regainSpareDescriptor()
                return
            }
            if reservedDescriptorCount > 0, connection.isNearDescriptorLimit(reservedDescriptorCount) {
                return connection.abort()
            }
            // The strong local keeps the owner alive for the whole pass.
            guard let owner = unsafe owner else { return connection.abort() }
            owner.listener(self, didAccept: connection)
        }
    }

    /// libuv calls again until `accept` succeeds: first we give up our spare descriptor, to accept and refuse the
    /// waiting connections; without it, we close the listener.
    private func acceptDidFail(_ status: Int32) {
        if spareDescriptor >= 0 {
            cuv_close_descriptor(spareDescriptor)
            spareDescriptor = -1
            isShedding = true
            return
        }
        let owner = unsafe self.owner
        close()
        owner?.listener(self, didFailWith: UVError(operation: "accept", code: status))
    }

    private func regainSpareDescriptor() -> Bool {
        spareDescriptor = cuv_open_spare()
        isShedding = spareDescriptor < 0
        return !isShedding
    }
}

extension TCPListener {
    /// Says why `bind` failed, and what to do about it.
    ///
    /// - Parameter server: the server in the middle of a sentence, such as "the simulator".
    package static func sentence(_ error: UVError, host: String, port: UInt16, server: String) -> String {
        switch error.name {
        case "EADDRNOTAVAIL":
            "\(host) is not an address of this machine: \(server) cannot listen on it."
        case "EADDRINUSE":
            "Port \(port) on \(host) is in use by another program: choose another port, or 0 for a free one."
        case "EACCES":
            "Listening on port \(port) of \(host) is not permitted: ports below 1024 need rights."
        default:
            "\(server.prefix(1).uppercased())\(server.dropFirst()) cannot listen on port \(port) of \(host): \(error.text)."
        }
    }
}

private func connectionCallback(_ stream: UnsafeMutablePointer<uv_stream_t>?, _ status: Int32) {
    guard let listener = unsafe HandleBlock.owner(stream?.pointee.data, as: TCPListener.self) else { return }
    listener.connectionDidArrive(status)
}
