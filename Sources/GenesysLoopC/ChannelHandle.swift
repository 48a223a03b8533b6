internal import CGenesysLoop
internal import GenesysLoop

/// The object behind a `genesys_channel *`: a channel and its delegate, which calls the C program back.
///
/// One reference belongs to the C program until `genesys_channel_release`. The handle holds another one itself from
/// `genesys_channel_open` to the channel's last callback, as the loop retains the channel.
@safe final class ChannelHandle {
    private(set) var channel: NotificationChannel?
    private let callbacks: genesys_channel_callbacks
    /// Retains the handle while the channel is open.
    private var keeper: ChannelHandle?
    /// The last callback was called.
    private var isOver = false

    init(_ callbacks: genesys_channel_callbacks) {
        unsafe self.callbacks = callbacks
    }

    /// Makes the channel; called once.
    func make(uri: String, topics: [Topic], on loop: UVLoop, _ configuration: ChannelConfiguration) throws {
        loop.preconditionCurrent("genesys_channel_new")
        guard !loop.isDetaching else {
            throw CallError(status: GENESYS_ERROR_LOOP, sentence: "the loop was left: genesys_loop_detach was called")
        }
        channel = try NotificationChannel(
            uri: uri, topics: topics, on: loop, delegate: self, configuration: configuration)
    }

    func open() {
        keep()
        channel?.open()
    }

    func close() {
        keep()
        channel?.close()
    }

    /// Retains the handle until the last callback. After that nothing would release it.
    private func keep() {
        if !isOver { keeper = self }
    }

    /// The handle for a pointer of the C program; nil for NULL. Traps with a sentence about `call` on another thread
    /// than the loop's.
    static func of(_ pointer: OpaquePointer?, for call: StaticString) -> ChannelHandle? {
        guard let pointer = unsafe pointer else { return nil }
        let handle = unsafe Unmanaged<ChannelHandle>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
        handle.channel?.loop.preconditionCurrent(call)
        return handle
    }

    /// Without a new reference, for a callback.
    private var pointer: OpaquePointer {
        unsafe OpaquePointer(Unmanaged.passUnretained(self).toOpaque())
    }

    /// A new reference for the C program.
    var retainedPointer: OpaquePointer {
        // Released by genesys_channel_release.
        unsafe OpaquePointer(Unmanaged.passRetained(self).toOpaque())
    }

    /// The last callback is being called: only the C program still needs the handle.
    private func end() {
        isOver = true
        keeper = nil
    }
}

// Data passed to a callback is on the stack or in the receive buffer, and valid until the callback returns.
extension ChannelHandle: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        guard let callback = unsafe callbacks.did_receive else { return }
        unsafe notification.bytes.withUnsafeBufferPointer { message in
            unsafe notification.topicBytes.withUnsafeBufferPointer { topic in
                unsafe notification.body.withUnsafeBufferPointer { body in
                    var value = unsafe genesys_notification(
                        message: genesys_bytes(message), topic: genesys_bytes(topic), body: genesys_bytes(body))
                    unsafe callback(pointer, &value, callbacks.user)
                }
            }
        }
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {
        let isLast = self
        end()
        guard let callback = unsafe isLast.callbacks.did_fail else { return }
        unsafe BorrowedFailure(failure).lend { unsafe callback(isLast.pointer, $0, isLast.callbacks.user) }
    }

    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {
        guard let callback = unsafe callbacks.will_expire else { return }
        let kind: genesys_expiry_kind
        switch expiry {
        case .lifetime: kind = GENESYS_EXPIRY_LIFETIME
        case .maintenance: kind = GENESYS_EXPIRY_MAINTENANCE
        }
        var value = genesys_expiry(kind: kind, deadline: genesys_time(expiry.deadline))
        unsafe callback(pointer, &value, callbacks.user)
    }

    func channel(_ channel: NotificationChannel, didChange state: ChannelState) {
        unsafe callbacks.did_change?(pointer, genesys_channel_state(state), callbacks.user)
    }

    func channel(_ channel: NotificationChannel, didSubscribe topics: [Topic]) {
        guard let callback = unsafe callbacks.did_subscribe else { return }
        unsafe CStrings.lend(topics.map(\.rawValue)) { unsafe callback(pointer, $0, topics.count, callbacks.user) }
    }

    func channel(_ channel: NotificationChannel, willReconnect attempt: ReconnectAttempt) {
        guard let callback = unsafe callbacks.will_reconnect else { return }
        unsafe BorrowedFailure(attempt.failure).lend { failure in
            var value = unsafe genesys_reconnect(
                number: UInt64(attempt.number), delay: attempt.delay.inSeconds, failure: failure)
            unsafe callback(pointer, &value, callbacks.user)
        }
    }

    func channel(_ channel: NotificationChannel, didFailRollover failure: ChannelFailure) {
        guard let callback = unsafe callbacks.did_fail_rollover else { return }
        unsafe BorrowedFailure(failure).lend { unsafe callback(pointer, $0, callbacks.user) }
    }

    func channel(_ channel: NotificationChannel, didReject topics: RejectedTopics) {
        guard let callback = unsafe callbacks.did_reject else { return }
        unsafe CStrings.lend(topics.topics.map(\.rawValue)) { names in
            unsafe CStrings.lend(topics.message) {
                unsafe callback(pointer, names, topics.topics.count, Int32(clamping: topics.status), $0, callbacks.user)
            }
        }
    }

    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {
        guard let callback = unsafe callbacks.did_miss else { return }
        unsafe CStrings.lend(gap.reason.rawValue) { reason in
            var value = unsafe genesys_gap(from: genesys_time(gap.from), to: genesys_time(gap.to), reason: reason)
            unsafe callback(pointer, &value, callbacks.user)
        }
    }

    func channel(_ channel: NotificationChannel, didDiscard message: DiscardedMessage) {
        guard let callback = unsafe callbacks.did_discard else { return }
        unsafe CStrings.lend(message.reason.rawValue) { reason in
            unsafe message.bytes.withUnsafeBufferPointer { bytes in
                unsafe callback(pointer, genesys_bytes(bytes), reason, callbacks.user)
            }
        }
    }

    func channel(_ channel: NotificationChannel, didRecover recovery: Recovery) {
        guard let callback = unsafe callbacks.did_recover else { return }
        unsafe CStrings.lend(recovery.method.rawValue) { method in
            var value = unsafe genesys_recovery(
                method: method, attempt_count: UInt64(recovery.attemptCount),
                reconnect_count: UInt64(recovery.reconnectCount), rollover_count: UInt64(recovery.rolloverCount),
                extension_count: UInt64(recovery.extensionCount), merged_repeats: UInt64(recovery.mergedRepeats))
            unsafe callback(pointer, &value, callbacks.user)
        }
    }

    func channelDidClose(_ channel: NotificationChannel) {
        let isLast = self
        end()
        unsafe isLast.callbacks.did_close?(isLast.pointer, isLast.callbacks.user)
    }
}
