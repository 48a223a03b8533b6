internal import CCurl
internal import GenesysLoop

/// A multi handle of libcurl on a loop: its transfers, its timer, and the watches of its sockets.
///
///     libcurl asks for a watch or a time ──▶ DescriptorWatch, PlainTimer ──▶ act ──▶ drain ──▶ owners of transfers
///
/// Owners are called from `drain` only, never from within a callback of libcurl: libcurl refuses most calls there. So
/// an owner may start and cancel transfers, and close the handle. While no transfer is under way, nothing of it is on
/// the loop; kept connections have no watch.
@safe final class CurlMulti {
    let loop: UVLoop
    private let group: HandleGroup
    /// Owned; nil once closed.
    private var multi: UnsafeMutableRawPointer?
    private var timer: PlainTimer?
    private var watches: [Int32: DescriptorWatch] = [:]
    private var sockets: [Int32: Socket] = [:]
    private var transfers: [Int: CurlTransfer] = [:]
    private var lastID = 0
    /// How many calls of libcurl are under way; 0 or 1.
    private var depth = 0
    /// libcurl may ask for a watch while it is being cleaned up.
    private var isClosing = false

    /// A socket that libcurl has opened, until it closes it.
    private struct Socket {
        let address: SocketAddress?
        /// The transfer for which it was opened; it may have ended.
        let transfer: Int
        var hasConnected = false
        /// The handshake of its TLS.
        var handshake: SupervisedHandshake?
    }

    /// - Throws: `HTTPFailure.internal`, if there is no memory.
    init(loop: UVLoop, group: HandleGroup) throws(HTTPFailure) {
        self.loop = loop
        self.group = group
        guard let multi = unsafe curl_multi_init() else {
            throw HTTPFailure(CURLE_OUT_OF_MEMORY)
        }
        unsafe self.multi = unsafe multi
        // The handle is cleaned up, at the latest in `deinit`, before this object is deallocated.
        let reference = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_socket_callback(multi, socketCallback)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, reference)
        unsafe ccurl_multi_set_timer_callback(multi, timerCallback)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, reference)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 4)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    deinit { close() }

    /// A number for a new transfer.
    func nextID() -> Int {
        lastID += 1
        return lastID
    }

    /// How many transfers are under way.
    var transferCount: Int { transfers.count }

    // MARK: - Transfers

    /// Starts a transfer: its owner is called from a later turn of the loop.
    ///
    /// - Throws: `HTTPFailure.internal`.
    func add(_ transfer: CurlTransfer) throws(HTTPFailure) {
        guard let multi = unsafe multi else { return }
        transfers[transfer.id] = transfer
        depth += 1
        // Both handles are open. libcurl arms its timer within the call, and begins when it fires.
        let code = unsafe curl_multi_add_handle(multi, transfer.easy)
        depth -= 1
        guard code == CURLM_OK else {
            transfers[transfer.id] = nil
            throw .internal(code: Int(code.rawValue), unsafe String(cString: curl_multi_strerror(code)))
        }
    }

    /// Ends a transfer. Its owner gets no further call; nothing waits for the network.
    func remove(_ transfer: CurlTransfer) {
        guard transfers.removeValue(forKey: transfer.id) != nil, let multi = unsafe multi else { return }
        transfer.forgetOwner()
        depth += 1
        // Both handles are open.
        unsafe curl_multi_remove_handle(multi, transfer.easy)
        depth -= 1
        transfer.cleanUp()
        releaseTimerIfIdle()
    }

    /// Ends all transfers, closes all connections, and leaves nothing on the loop.
    ///
    /// Calling it again does nothing.
    func close() {
        guard let closed = unsafe multi else { return }
        for transfer in Array(transfers.values) { remove(transfer) }
        unsafe multi = nil
        isClosing = true
        // The last use of the handle. It closes the sockets by `socketWillClose`.
        unsafe curl_multi_cleanup(closed)
        for watch in watches.values { watch.close() }
        watches = [:]
        sockets = [:]
        timer?.close()
        timer = nil
    }

    // MARK: - Events

    private func act(_ descriptor: Int32, _ events: Int32) {
        guard let multi = unsafe multi else { return }
        var count: Int32 = 0
        depth += 1
        // The handle is open, and so is the descriptor: it is watched.
        unsafe curl_multi_socket_action(multi, descriptor, events, &count)
        depth -= 1
        drain()
    }

    /// Notifies the owners of all transfers that have ended.
    ///
    /// Always after an action, also when no transfer is left: the last one may have just ended.
    private func drain() {
        guard depth == 0 else { return }
        var ended: [(transfer: CurlTransfer, code: CURLcode)] = []
        var count: Int32 = 0
        // The handle is open. A message is valid until the next call, so it is copied.
        while let multi = unsafe multi, let message = unsafe curl_multi_info_read(multi, &count) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let data = unsafe ccurl_get_private(message.pointee.easy_handle)
            else { continue }
            // The transfer is in `transfers`, therefore alive.
            let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(data).takeUnretainedValue()
            ended.append((transfer, unsafe message.pointee.data.result))
        }
        for (transfer, code) in ended {
            // An owner that was called before may have canceled it.
            guard let owner = transfer.currentOwner else { continue }
            let outcome = transfer.outcome(code)
            remove(transfer)
            owner.transfer(transfer, didEndWith: outcome)
        }
        releaseTimerIfIdle()
    }

    private func releaseTimerIfIdle() {
        guard transfers.isEmpty, depth == 0, let timer, !timer.isArmed else { return }
        timer.close()
        self.timer = nil
    }

    // MARK: - What libcurl asks for

    fileprivate func socketIsWanted(_ descriptor: Int32, _ events: Int32) -> Int32 {
        guard events != CURL_POLL_REMOVE else {
            watches.removeValue(forKey: descriptor)?.close()
            return 0
        }
        if isClosing { return 0 }
        var wanted: DescriptorWatch.Events = []
        if events & CURL_POLL_IN != 0 { wanted.insert(.readable) }
        if events & CURL_POLL_OUT != 0 { wanted.insert(.writable) }
        do throws(UVError) {
            try watch(descriptor).start(wanted)
            return 0
        } catch {
            return -1
        }
    }

    private func watch(_ descriptor: Int32) throws(UVError) -> DescriptorWatch {
        if let watch = watches[descriptor] { return watch }
        let made = try DescriptorWatch(descriptor: descriptor, loop: loop, group: group, owner: self)
        watches[descriptor] = made
        return made
    }

    fileprivate func timeIsWanted(_ milliseconds: Int) {
        guard milliseconds >= 0, !isClosing else {
            timer?.stop()
            return
        }
        let timer = self.timer ?? PlainTimer(loop: loop, group: group, owner: self)
        self.timer = timer
        timer.start(after: UInt64(milliseconds))
    }

    func socketDidOpen(_ descriptor: Int32, to address: SocketAddress?, for transfer: CurlTransfer) {
        sockets[descriptor] = Socket(address: address, transfer: transfer.id)
    }

    /// The socket of the connection that a transfer is about to use: the one that was opened for it, else that of a
    /// kept connection, which libcurl names by its own port and the peer's. Nil if it is not known.
    func socket(of transfer: CurlTransfer, own: Int32, peer: Int32) -> Int32? {
        sockets.first { $0.value.transfer == transfer.id }?.key
            ?? sockets.keys.first { ccurl_has_ports($0, own, peer) }
    }

    /// The handshake of a connection: that of the transfer for which it was made, also for those that reuse it.
    ///
    /// - Parameter made: the one of the transfer that is about to use the connection; nil if it has made none.
    func handshake(of descriptor: Int32?, made: SupervisedHandshake?) -> SupervisedHandshake? {
        guard let descriptor else { return made }
        if let made { sockets[descriptor]?.handshake = made }
        return sockets[descriptor]?.handshake
    }

    /// What has arrived on a broken connection, up to a record of TLS; empty if it is closed.
    func unreadInput(of descriptor: Int32?) -> [UInt8] {
        guard let descriptor, sockets[descriptor] != nil else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: 16_384 + 512) { buffer, count in
            // The descriptor is open; at most `buffer.count` bytes are written.
            count = max(0, unsafe ccurl_receive(descriptor, buffer.baseAddress, buffer.count))
        }
    }

    /// The watch has to end before the descriptor.
    fileprivate func socketWillClose(_ descriptor: Int32) {
        watches.removeValue(forKey: descriptor)?.close()
        noticeConnection(descriptor)
        guard let socket = sockets.removeValue(forKey: descriptor), let address = socket.address,
            !socket.hasConnected
        else { return }
        transfers[socket.transfer]?.didFail(toConnectTo: address)
    }

    /// Remembers that a socket is connected: after a reset it no longer says so.
    private func noticeConnection(_ descriptor: Int32) {
        guard let socket = sockets[descriptor], !socket.hasConnected, ccurl_is_connected(descriptor) else { return }
        sockets[descriptor]?.hasConnected = true
        transfers[socket.transfer]?.didConnect()
    }

    /// The addresses of a transfer's sockets that are not connected yet.
    func pendingAddresses(of transfer: CurlTransfer) -> [SocketAddress] {
        let open = sockets.filter { $0.value.transfer == transfer.id && !$0.value.hasConnected }
        return open.compactMap(\.value.address)
    }
}

extension CurlMulti: DescriptorWatchOwner, PlainTimerOwner {
    func watch(_ watch: DescriptorWatch, didSee events: DescriptorWatch.Events) {
        noticeConnection(watch.descriptor)
        // Without events libcurl looks itself why the descriptor failed. CURL_CSELECT_ERR would hide a TLS alert.
        act(
            watch.descriptor,
            (events.contains(.readable) ? CURL_CSELECT_IN : 0) | (events.contains(.writable) ? CURL_CSELECT_OUT : 0))
    }

    func plainTimerDidFire(_ timer: PlainTimer) {
        act(ccurl_timeout_socket(), 0)
    }
}

// The pointers are those of a multi handle whose object is alive: `close()` cleans the handle up first.

private func multi(_ data: UnsafeMutableRawPointer?) -> CurlMulti? {
    unsafe data.map { unsafe Unmanaged<CurlMulti>.fromOpaque($0).takeUnretainedValue() }
}

private func socketCallback(
    _ easy: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t, _ events: Int32, _ data: UnsafeMutableRawPointer?,
    _ watch: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe multi(data)?.socketIsWanted(descriptor, events) ?? 0
}

private func timerCallback(
    _ handle: UnsafeMutableRawPointer?, _ milliseconds: Int, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe multi(data)?.timeIsWanted(milliseconds)
    return 0
}

/// Closes a socket in the name of libcurl; also that of a connection whose transfer has ended.
func closeSocketCallback(_ data: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t) -> Int32 {
    unsafe multi(data)?.socketWillClose(descriptor)
    return ccurl_close(descriptor)
}
