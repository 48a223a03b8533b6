package import GenesysLoop

/// The owner of an `HTTPCall`.
package protocol HTTPCallOwner: AnyObject {
    /// The call has ended: with an answer, whatever its status, or without.
    ///
    /// The last call, which never comes from within `start`. Everything is legal inside: starting and canceling calls,
    /// closing the engine, dropping the last reference to any of them.
    func call(_ call: HTTPCall, didEndWith result: Result<HTTPAnswer, HTTPFailure>)
}

/// A request under way.
///
///     waiting ─▶ resolving ─▶ transferring ─▶ ended
///        │           ▲          │  ▲
///        │           └──────────┘  │    the known addresses have failed, and the look-up of others has not ended
///        └─────────────────────────┘    an earlier call has looked them up
///
/// Deadlines: of the connection, from the end of waiting until the request is being sent; of the whole call, from its
/// start. A call keeps the loop running until it ends. Dropping the last reference cancels it.
@safe package final class HTTPCall {
    private enum State {
        case waiting, resolving, transferring, ended
    }

    package let request: HTTPRequest
    private let engine: HTTPEngine
    /// Unretained: the owner cancels or drops the call before it is deallocated.
    private unowned(unsafe) var owner: (any HTTPCallOwner)?
    private var state: State = .waiting
    private var proxy: ProxyURI?
    private var resolution: Resolution?
    private var addresses = AddressCollection()
    /// The addresses of the transfer.
    private var used: [SocketAddress] = []
    /// When the host was looked up; nil if an earlier call did that.
    private var lookedUpAt: Instant?
    private var transfer: CurlTransfer?
    /// What earlier transfers of this call have tried.
    private var failedAddresses: [String] = []
    private var connectError: UVError?
    private var timer: Timer?
    private let end: Instant
    private var connectEnd: Instant?
    /// When addresses of one family stop waiting for those of the other.
    private var resolutionEnd: Instant?
    /// Reports a failure that is known before anything was started.
    private var relay: TaskRelay?
    private var earlyFailure: HTTPFailure?

    init(_ request: HTTPRequest, on engine: HTTPEngine, owner: any HTTPCallOwner) {
        self.request = request
        self.engine = engine
        unsafe self.owner = owner
        end = engine.loop.now.instant + request.deadline
        engine.loop.hold()
        let timer = Timer(loop: engine.loop, group: engine.group, owner: self)
        self.timer = timer
        timer.start(at: end)
    }

    deinit { cancel() }

    /// Ends the call; its owner gets no further call. Nothing waits for the network or for a look-up.
    ///
    /// Calling it again, or after the end, does nothing.
    package func cancel() {
        unsafe owner = nil
        release()
    }

    /// How much of the answer's body has arrived.
    package var transferredByteCount: Int { transfer?.bodyByteCount ?? 0 }

    /// The call's turn has come.
    func begin() {
        guard state == .waiting else { return }
        state = .resolving
        connectEnd = engine.loop.now.instant + request.connectDeadline
        arm()
        do throws(HTTPFailure) {
            proxy = try engine.proxy(for: request.url.uri)
        } catch {
            return failLater(error)
        }
        let (host, port) = destination
        guard SocketAddress(numeric: host, port: port) == nil else { return startTransfer([]) }
        let known = engine.knownAddresses(for: request, by: proxy)
        if known.isEmpty { resolve() } else { startTransfer(known) }
    }

    /// The peer of the connection: the proxy, or the server.
    private var destination: (host: String, port: UInt16) {
        proxy.map { ($0.destination, $0.port) } ?? (request.url.uri.destination, request.url.uri.port)
    }

    private func resolve() {
        state = .resolving
        lookedUpAt = engine.loop.now.instant
        resolution = engine.loop.resolver.resolve(destination.host, port: destination.port, owner: self)
    }

    // MARK: - Transfers

    private func startTransfer(_ addresses: [SocketAddress]) {
        state = .transferring
        used = addresses
        resolutionEnd = nil
        let now = engine.loop.now.instant
        // The deadlines are this call's, which looks at the socket once more before it judges.
        let grace: Duration = .seconds(1)
        let route = CurlTransfer.Route(
            url: request.url, proxy: proxy, addresses: addresses, context: engine.context, userAgent: engine.userAgent,
            connectTime: (connectEnd ?? end) - now + grace, time: end - now + grace)
        do throws(HTTPFailure) {
            let multi = try engine.multi()
            let transfer = try CurlTransfer(request, by: route, on: multi, owner: self)
            self.transfer = transfer
            try multi.add(transfer)
        } catch {
            failLater(error)
        }
        arm()
    }

    private func endTransfer() {
        guard let transfer else { return }
        self.transfer = nil
        transfer.multi.remove(transfer)
    }

    /// The addresses that were known have failed: tries those that have arrived since, or waits for others.
    private func proceed() {
        if addresses.hasAddresses {
            startTransfer(addresses.take(proven: nil))
        } else if let error = connectError, addresses.isComplete {
            finish(.failure(.unreachable(error, tried: tried, proxy: proxy)))
        } else if addresses.isComplete {
            finish(.failure(.unresolved(addresses.error, proxy: proxy)))
        }
    }

    private var tried: [String] {
        let missing = resolution.map { ["further addresses: \($0.silence)"] } ?? []
        return failedAddresses + addresses.familiesWithoutAnswer + missing
    }

    // MARK: - Deadlines

    private func arm() {
        guard state != .ended else { return }
        timer?.start(at: [connectEnd, resolutionEnd].compactMap(\.self).reduce(end, min))
    }

    private var timeout: HTTPFailure {
        switch state {
        case .transferring: transfer?.timeout ?? .timeout(.connect, tried: tried, proxy: proxy)
        case .resolving where connectError != nil: .timeout(.connect, tried: tried, proxy: proxy)
        case .waiting, .resolving, .ended:
            .timeout(.dns, tried: resolution.map { [$0.silence] } ?? [], proxy: proxy)
        }
    }

    // MARK: - The end

    private func failLater(_ failure: HTTPFailure) {
        endTransfer()
        earlyFailure = failure
        let relay = TaskRelay(target: self)
        self.relay = relay
        engine.loop.schedule(relay)
    }

    private func finish(_ result: Result<HTTPAnswer, HTTPFailure>) {
        // The strong local keeps the owner alive for the call.
        let owner = unsafe self.owner
        unsafe self.owner = nil
        release()
        owner?.call(self, didEndWith: result)
    }

    /// Releases everything; the next call gets its turn.
    private func release() {
        guard state != .ended else { return }
        state = .ended
        unsafe relay?.target = nil
        relay = nil
        resolution?.cancel()
        resolution = nil
        endTransfer()
        timer?.close()
        timer = nil
        engine.callDidEnd(self)
        engine.loop.unhold()
    }
}

extension HTTPCall: ResolutionOwner, CurlTransferOwner, TimerOwner, LoopTask {
    package func resolution(
        _ resolution: Resolution, didEnd family: AddressFamily, with result: Result<[SocketAddress], ResolverError>
    ) {
        if resolution.isOver { self.resolution = nil }
        addresses.answered(family, result, isLast: resolution.isOver)
        guard state == .resolving else { return }
        guard connectError == nil else { return proceed() }
        if addresses.isComplete, addresses.hasAddresses {
            startTransfer(addresses.take(proven: engine.provenAddress(for: request, by: proxy)))
        } else if addresses.isComplete {
            proceed()
        } else if addresses.hasAddresses {
            resolutionEnd = engine.loop.now.instant + AddressCollection.delay
            arm()
        }
    }

    func transfer(_ transfer: CurlTransfer, didEndWith outcome: CurlTransfer.Outcome) {
        self.transfer = nil
        switch outcome {
        case .answer(let answer):
            engine.remember(transfer.peer, for: request, by: proxy)
            if let lookedUpAt { engine.know(used, since: lookedUpAt, for: request, by: proxy) }
            finish(.success(answer))
        case .failure(let failure):
            forgetAddresses()
            finish(.failure(failure))
        case .unreachable where lookedUpAt == nil && !used.isEmpty:
            forgetAddresses()
            resolve()
        case .unreachable(let error, let tried):
            failedAddresses += tried
            connectError = error
            state = .resolving
            if resolution == nil, !addresses.isComplete {
                // A numeric address: there are no others.
                return finish(.failure(.unreachable(error, tried: failedAddresses, proxy: proxy)))
            }
            proceed()
        }
    }

    /// What was looked up before may be wrong.
    private func forgetAddresses() {
        engine.know([], since: engine.loop.now.instant, for: request, by: proxy)
    }

    package func timerDidFire(_ timer: Timer) {
        let now = engine.loop.now.instant
        if transfer?.hasBegun == true { connectEnd = nil }
        if now >= end || connectEnd.map({ now >= $0 }) == true {
            forgetAddresses()
            return finish(.failure(timeout))
        }
        if let resolutionEnd, now >= resolutionEnd {
            return startTransfer(addresses.take(proven: engine.provenAddress(for: request, by: proxy)))
        }
        arm()
    }

    package func runTask() {
        relay = nil
        if let earlyFailure { finish(.failure(earlyFailure)) }
    }
}

extension HTTPCall: CustomStringConvertible {
    /// The method and the host.
    package var description: String { "HTTPCall(\(request))" }
}
