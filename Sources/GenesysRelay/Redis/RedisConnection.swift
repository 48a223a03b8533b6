internal import GenesysLoop

/// Receives what happens on a `RedisConnection`. Every call comes inside a pass of the loop.
protocol RedisConnectionOwner: AnyObject {
    /// It is ready for commands.
    func connection(_ connection: RedisConnection, didOpen setup: RedisSetup)
    /// The reply to a command.
    func connection(_ connection: RedisConnection, didAnswer request: RedisRequest, with reply: RESPReply)
    /// It is gone, or could not be made. The last call.
    ///
    /// - Parameter unanswered: the first command that was not answered.
    func connection(_ connection: RedisConnection, didEndWith loss: RedisLoss, unanswered: RedisRequest?)
}

/// What a reply answers.
enum RedisRequest {
    case setup(RedisSetup.Step)
    case ping
    case append(RedisAppend)
    case head
    case loadScript
    case readLease
    case replaceLease
    case close
}

/// A connection to a server: commands go out, and replies come back in their order.
///
///     opening ─▶ setting up ─▶ open ─▶ ended
///
/// A server that owes a reply and gives none for a time is lost, unless it still takes bytes. An idle connection is
/// asked now and then.
@safe final class RedisConnection: EngineStreamOwner, TimerOwner {
    private enum Phase {
        case opening, settingUp, open, ended
    }

    private let loop: UVLoop
    private let server: String
    private let limits: EngineStream.Limits
    private weak var owner: (any RedisConnectionOwner)?
    private var phase = Phase.opening
    private var setup: RedisSetup
    private var stream: EngineStream?
    /// Which addresses come first and last: for the next connection.
    private(set) var memory: AddressMemory
    private let timer: Timer
    private let reader = RESPReader()
    private var pending = Fifo<RedisRequest>()
    /// When the server last answered, or was first asked.
    private var heardAt: Instant
    /// As of the last look at the clock.
    private var sentByteCount = 0
    private var wasQueued = false

    init(
        _ setup: RedisSetup, to destination: EngineStream.Destination, context: TLSContext?,
        limits: EngineStream.Limits, memory: AddressMemory, loop: UVLoop, group: HandleGroup,
        owner: any RedisConnectionOwner
    ) {
        self.memory = memory
        self.limits = limits
        self.setup = setup
        self.loop = loop
        self.owner = owner
        server = setup.server
        heardAt = loop.now.instant
        timer = Timer(loop: loop, group: group)
        unsafe timer.owner = self
        stream = EngineStream(
            to: destination, context: context, limits: limits, memory: memory, loop: loop, group: group, owner: self)
    }

    deinit { close() }

    var isOpen: Bool { phase == .open }

    func start() { stream?.start() }

    /// Sends a command.
    func send(_ command: consuming RESPCommand, for request: RedisRequest) {
        guard phase == .open || phase == .settingUp, let stream else { return }
        if pending.isEmpty { heardAt = loop.now.instant }
        pending.append(request)
        stream.write(command.encoded())
        guard !wasQueued, stream.queuedByteCount > 0 else { return }
        // The server does not keep up: whether it still takes bytes is looked at more often.
        wasQueued = true
        sentByteCount = stream.sentByteCount
        timer.start(at: loop.now.instant + limits.reply / 5)
    }

    /// Closes it; the owner is no longer called.
    func close() {
        owner = nil
        release()
    }

    private func release() {
        phase = .ended
        memory = stream?.memory ?? memory
        stream?.close()
        stream = nil
        timer.close()
        pending.removeAll()
    }

    private func fail(_ loss: RedisLoss) {
        guard phase != .ended else { return }
        let owner = owner
        self.owner = nil
        let unanswered = pending.first
        release()
        owner?.connection(self, didEndWith: loss, unanswered: unanswered)
    }

    // MARK: - The stream

    func streamDidOpen(_ stream: EngineStream) {
        phase = .settingUp
        for (step, command) in setup.commands { send(command, for: .setup(step)) }
        timer.start(at: loop.now.instant + min(limits.reply, limits.idle))
    }

    func stream(_ stream: EngineStream, didEndWith failure: EngineStream.Failure) {
        let isByServer =
            switch failure {
            case .ended, .broke: true
            case .unresolved, .unreachable, .timeout, .tls: false
            }
        fail(
            RedisLoss(
                "\(server) is lost: \(failure.clause).", finalAtFirst: failure.finalKind, isByServer: isByServer))
    }

    func stream(_ stream: EngineStream, didRead bytes: UnsafeRawBufferPointer) {
        do throws(RESPReader.Violation) {
            unsafe try reader.feed(bytes)
            while phase != .ended, let reply = try reader.next() {
                heardAt = loop.now.instant
                guard let request = pending.popFirst() else { return violated("a reply came that nothing asked for") }
                take(reply, to: request)
            }
        } catch {
            // 0x15 begins an alert of TLS.
            let isTLS = unsafe phase == .settingUp && bytes.first == 0x15
            violated(error.text + (isTLS ? "; it speaks TLS: use rediss://" : ""))
        }
    }

    private func violated(_ text: String) {
        fail(
            RedisLoss(
                "\(server) does not speak the protocol of Redis: \(Sentence.clause(text)).",
                finalAtFirst: .protocolViolation))
    }

    private func take(_ reply: RESPReply, to request: RedisRequest) {
        switch request {
        case .ping: break
        case .setup(let step):
            do throws(RedisLoss) {
                try setup.take(reply, to: step)
            } catch {
                return fail(error)
            }
            guard step == .head else { return }
            phase = .open
            stream?.succeeded()
            owner?.connection(self, didOpen: setup)
        case .append, .head, .loadScript, .readLease, .replaceLease, .close:
            owner?.connection(self, didAnswer: request, with: reply)
        }
    }

    // MARK: - Liveness

    func timerDidFire(_ timer: Timer) {
        let now = loop.now.instant
        let sent = stream?.sentByteCount ?? 0
        let isQueued = (stream?.queuedByteCount ?? 0) > 0
        if pending.isEmpty {
            if now >= heardAt + limits.idle { send(RESPCommand("PING"), for: .ping) }
        } else if wasQueued, sent > sentByteCount {
            heardAt = now
        }
        sentByteCount = sent
        wasQueued = isQueued
        guard pending.isEmpty || now < heardAt + limits.reply else {
            return fail(RedisLoss("\(server) is lost: it did not answer for \(limits.reply)."))
        }
        let deadline = heardAt + (pending.isEmpty ? limits.idle : limits.reply)
        timer.start(at: isQueued ? min(deadline, now + limits.reply / 5) : deadline)
    }
}
