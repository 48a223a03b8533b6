import GenesysLoop
import ServerKit

/// One connection of `MetricsServer`: HTTP/1.1 with one answer in each turn of the loop.
///
///     reading ─▶ answering ─▶ waiting ─▶ reading …
///        └─▶ lingering ─▶ ended               any ──deadline, failure──▶ ended
///
/// - `reading`: it reads a request, or waits for one.
/// - `answering`: the kernel has not taken the whole answer.
/// - `waiting`: another request came together with the one before, and is read in the next turn.
/// - `lingering`: the last answer is sent; input is read and discarded until the client ends the connection, since a
///   reset could destroy the answer on its way.
///
/// One timer has the deadline of each state. In `answering` and `waiting` nothing is read, so a client that sends
/// requests and reads no answers fills its own socket.
final class MetricsConnection {
    private enum Phase {
        case reading, answering, waiting, lingering, ended
    }

    private var phase = Phase.reading
    /// When it last changed to a phase; the oldest connection that does nothing makes room for others.
    private(set) var since: Instant

    private weak var server: MetricsServer?
    private let limits: MetricsLimits
    private let tcp: TCPConnection
    private let timer: Timer
    private var parser = UpgradeRequestParser()
    /// The bytes of the unfinished head.
    private var headByteCount = 0
    /// Input behind the request that was answered last: at most one read of the loop.
    private var rest: [UInt8] = []
    private var hasAnswered = false
    private var inputHasEnded = false

    init(_ tcp: TCPConnection, server: MetricsServer) {
        self.tcp = tcp
        self.server = server
        limits = server.limits
        timer = Timer(loop: tcp.loop, group: tcp.group)
        since = tcp.loop.now.instant
        unsafe tcp.owner = self
        unsafe timer.owner = self
    }

    deinit {
        timer.close()
        tcp.close()
    }

    /// Serves the client.
    func start() {
        change(to: .reading, for: limits.head)
    }

    /// Answers that there are too many connections.
    func refuse() {
        answer(
            MetricsAnswer(refusing: UpgradeRequestError(status: 503, "There are too many connections: try again.")))
    }

    /// Whether no byte of a request has come.
    var isSilent: Bool { !hasAnswered && headByteCount == 0 }

    /// Whether nothing of use is lost with it: it waits for a request, or for the end.
    var isExpendable: Bool {
        switch phase {
        // A request that has arrived may not be read yet.
        case .reading: headByteCount == 0 && !tcp.hasUnreadInput
        case .lingering: tcp.queuedByteCount == 0
        case .answering, .waiting, .ended: false
        }
    }

    /// Releases the socket.
    ///
    /// - Parameter byReset: the kernel drops what the client has not read.
    func end(byReset: Bool = false) {
        guard phase != .ended else { return }
        phase = .ended
        timer.close()
        if byReset { tcp.abort() } else { tcp.close() }
        rest = []
        server?.connectionDidEnd(self)
    }

    private func change(to phase: Phase, for limit: Duration) {
        self.phase = phase
        since = tcp.loop.now.instant
        timer.start(at: since + limit)
        switch phase {
        case .reading, .lingering: tcp.startReading()
        case .answering, .waiting, .ended: tcp.stopReading()
        }
    }

    // MARK: - Requests

    private func read(_ input: Span<UInt8>) {
        // The first head of a connection has its time from the beginning.
        if headByteCount == 0, hasAnswered { change(to: .reading, for: limits.head) }
        do throws(UpgradeRequestError) {
            switch try parser.receive(input) {
            case .needMore:
                try headDidGrow(by: input.count)
            case .complete(let head, let consumed):
                try headDidGrow(by: consumed)
                headByteCount = 0
                keep(input.extracting(consumed...))
                guard let server else { return end() }
                answer(MetricsAnswer(to: head, server.content))
            }
        } catch {
            answer(MetricsAnswer(refusing: error))
        }
    }

    private func headDidGrow(by count: Int) throws(UpgradeRequestError) {
        headByteCount += count
        guard headByteCount <= limits.headByteCount else {
            throw UpgradeRequestError(
                status: 431, "The head of the request is longer than \(limits.headByteCount) bytes.")
        }
    }

    private func keep(_ input: Span<UInt8>) {
        // The span's memory is borrowed for the closure.
        rest = unsafe input.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    // MARK: - Answers

    private func answer(_ answer: MetricsAnswer) {
        hasAnswered = true
        tcp.write(answer.bytes)
        if let ending = answer.ending {
            // Nothing is unread that would turn the end into a reset.
            if ending == .requested, rest.isEmpty, tcp.queuedByteCount == 0 { return end() }
            rest = []
            change(to: .lingering, for: tcp.queuedByteCount > 0 ? limits.answer : limits.linger)
            tcp.shutdown()
        } else if tcp.queuedByteCount > 0 {
            change(to: .answering, for: limits.answer)
        } else {
            answerDidLeave()
        }
    }

    /// The kernel has taken an answer that is not the last one.
    private func answerDidLeave() {
        if rest.isEmpty { change(to: .reading, for: limits.idle) } else { change(to: .waiting, for: .zero) }
    }

    private func readRest() {
        var input: [UInt8] = []
        swap(&input, &rest)
        read(input.span)
    }
}

extension MetricsConnection: TCPConnectionOwner, TimerOwner {
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        guard phase == .reading else { return }
        // The loop lends its buffer for the call.
        unsafe read(bytes.assumingMemoryBound(to: UInt8.self).span)
    }

    func connectionDidReachEOF(_ connection: TCPConnection) {
        inputHasEnded = true
        if phase != .lingering || tcp.queuedByteCount == 0 { end() }
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        end()
    }

    func connectionDidDrain(_ connection: TCPConnection) {
        switch phase {
        case .answering:
            answerDidLeave()
        case .lingering:
            if inputHasEnded { end() } else { change(to: .lingering, for: limits.linger) }
        case .reading, .waiting, .ended:
            break
        }
    }

    func timerDidFire(_ timer: Timer) {
        switch phase {
        case .reading where headByteCount > 0:
            answer(
                MetricsAnswer(
                    refusing: UpgradeRequestError(status: 408, "The head of the request did not come in time.")))
        case .waiting:
            readRest()
        case .answering, .lingering:
            end(byReset: tcp.queuedByteCount > 0)
        case .reading, .ended:
            end()
        }
    }
}
