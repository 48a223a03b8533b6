internal import CUV

/// The only way into a loop from other threads: a locked queue and one `uv_async_t`.
///
/// Sends coalesce, so one wake-up takes all messages. The wake-up is sent under the lock that `close()` takes too, so
/// no thread can use the async handle while it is being closed. Threads hold the mailbox, never the loop.
@safe package final class Mailbox: @unchecked Sendable {
    /// What a thread can send to the loop.
    package enum Message: Sendable {
        /// A block of the host.
        case block(@Sendable () -> Void)
        /// A job of an actor on the loop, or of a task that prefers it.
        case job(UnownedJob)
        /// Destroys a value that belongs to the loop, even while the loop itself is being destroyed.
        case disposal(@Sendable () -> Void)
        /// The answer of a resolver thread.
        case resolved(job: UInt64, AddressFamily, Result<[SocketAddress], ResolverError>)
    }

    private struct State: Sendable {
        var messages: [Message] = []
        /// `run()` has returned because nothing was open.
        var hasEnded = false
        var isClosed = false
    }

    private let state = Locked(State())
    private let block: HandleBlock

    /// Takes over the block of an initialized async handle, until `close()`.
    init(block: HandleBlock) {
        self.block = block
    }

    /// Queues `message` and wakes the loop.
    ///
    /// May be called on any thread.
    ///
    /// A closed mailbox refuses all messages. The mailbox of a loop that has ended refuses disposals: the loop may
    /// never run again, and a waiting value would keep the loop, which it holds, in memory.
    @discardableResult
    package func post(_ message: Message) -> UVLoop.ExecuteResult {
        state.withLock { state in
            guard !state.isClosed else { return .refused }
            if state.hasEnded, case .disposal = message { return .refused }
            state.messages.append(message)
            // If the queue was not empty, a wake-up is on its way.
            if state.messages.count == 1 { wakeLocked() }
            return state.hasEnded ? .waits : .taken
        }
    }

    /// `run()` begins.
    func begin() {
        state.withLock { $0.hasEnded = false }
    }

    /// `run()` ends unless messages wait.
    func endIfEmpty() -> Bool {
        state.withLock { state in
            state.hasEnded = state.messages.isEmpty
            return state.hasEnded
        }
    }

    /// Wakes the loop without a message.
    ///
    /// May be called on any thread.
    func wake() {
        state.withLock { state in
            guard !state.isClosed else { return }
            wakeLocked()
        }
    }

    /// Removes all messages, in the order of arrival.
    ///
    /// To be called on the loop's thread.
    func takeMessages() -> [Message] {
        state.withLock { state in
            var messages: [Message] = []
            swap(&messages, &state.messages)
            return messages
        }
    }

    var hasMessages: Bool {
        state.withLock { !$0.messages.isEmpty }
    }

    /// Closes the mailbox and its handle unless messages wait.
    ///
    /// To be called on the loop's thread.
    func closeIfEmpty() -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.messages.isEmpty else { return false }
            state.isClosed = true
            block.close()
            return true
        }
    }

    /// Closes the mailbox and its handle, and returns the unread messages.
    ///
    /// To be called on the loop's thread.
    func close() -> [Message] {
        state.withLock { state in
            guard !state.isClosed else { return [] }
            state.isClosed = true
            block.close()
            var messages: [Message] = []
            swap(&messages, &state.messages)
            return messages
        }
    }

    private func wakeLocked() {
        // The lock is held and the mailbox is open, so the handle is not closing. The call cannot fail.
        _ = unsafe uv_async_send(block.async)
    }
}
