internal import CUV

/// The owner of a `DescriptorWatch`.
package protocol DescriptorWatchOwner: AnyObject {
    /// The descriptor is ready for `events`; with none of them it has failed, and using it shows why.
    func watch(_ watch: DescriptorWatch, didSee events: DescriptorWatch.Events)
}

/// Watches a descriptor that another library owns, reads and writes.
///
/// It must be closed before the descriptor. Every call of the owner comes inside a pass of the loop.
@safe package final class DescriptorWatch {
    /// What a descriptor may be ready for.
    package struct Events: OptionSet, Sendable {
        package let rawValue: Int32

        package init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// There is input, or the end of it.
        package static let readable = Events(rawValue: 1)
        /// Output is accepted.
        package static let writable = Events(rawValue: 2)
    }

    package let descriptor: Int32
    private let loop: UVLoop
    private var block: HandleBlock?
    /// Unretained: the owner closes the watch before it is deallocated.
    private unowned(unsafe) var owner: (any DescriptorWatchOwner)?
    private var events: Events = []
    /// libuv stops a watch when it reports a failure. Once it is started again, for an owner that wants to go on; a
    /// failure that lasts would keep the loop busy.
    private var hasRestarted = false

    /// - Parameter descriptor: not watched by another handle of the loop.
    package init(
        descriptor: Int32, loop: UVLoop, group: HandleGroup, owner: any DescriptorWatchOwner
    ) throws(UVError) {
        self.descriptor = descriptor
        self.loop = loop
        unsafe self.owner = owner
        block = try unsafe HandleBlock(group: group, kind: uv_poll_t.self, operation: "uv_poll_init") { block in
            unsafe uv_poll_init(loop.raw, cuv_block_poll(block), descriptor)
        }
        block?.setOwner(self)
    }

    deinit { close() }

    /// Watches for `events` from now on; for none, it pauses.
    package func start(_ events: Events) throws(UVError) {
        guard let block else { return }
        self.events = events
        hasRestarted = false
        guard !events.isEmpty else {
            // The block is open.
            _ = unsafe uv_poll_stop(block.poll)
            return
        }
        // The block is open.
        let code = unsafe uv_poll_start(block.poll, libuvEvents, pollCallback)
        guard code == 0 else { throw UVError(operation: "uv_poll_start", code: code) }
    }

    /// Ends the watch. Its owner gets no further call; calling it again does nothing.
    package func close() {
        unsafe owner = nil
        block?.close()
        block = nil
    }

    private var libuvEvents: Int32 {
        (events.contains(.readable) ? Int32(UV_READABLE.rawValue) : 0)
            | (events.contains(.writable) ? Int32(UV_WRITABLE.rawValue) : 0)
    }

    fileprivate func didPoll(_ status: Int32, _ seen: Int32) {
        var events: Events = []
        if status >= 0 {
            hasRestarted = false
            if seen & Int32(UV_READABLE.rawValue) != 0 { events.insert(.readable) }
            if seen & Int32(UV_WRITABLE.rawValue) != 0 { events.insert(.writable) }
        }
        // The strong local keeps the owner alive for the call.
        guard let owner = unsafe owner else { return }
        loop.inPass { owner.watch(self, didSee: events) }
        guard status < 0, !hasRestarted, !self.events.isEmpty, let block else { return }
        hasRestarted = true
        // The block is open: the owner has not closed the watch.
        _ = unsafe uv_poll_start(block.poll, libuvEvents, pollCallback)
    }
}

private func pollCallback(_ handle: UnsafeMutablePointer<uv_poll_t>?, _ status: Int32, _ events: Int32) {
    guard let watch = unsafe HandleBlock.owner(handle?.pointee.data, as: DescriptorWatch.self) else { return }
    watch.didPoll(status, events)
}
