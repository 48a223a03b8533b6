/// Who hears from a `Resolution`.
package protocol ResolutionOwner: AnyObject {
    /// At least one address, in the order of preference of the system.
    func resolution(_ resolution: Resolution, didFind addresses: [SocketAddress])

    /// There is no answer.
    func resolution(_ resolution: Resolution, didFailWith error: ResolverError)
}

/// One look-up under way.
///
/// Its owner gets exactly one call, unless it is cancelled or dropped before.
package final class Resolution: LoopPass {
    /// The name or the numeric address looked up.
    package let host: String
    package let port: UInt16

    /// Unretained: must be set to nil, or the look-up cancelled or dropped, before the owner dies.
    package unowned(unsafe) var owner: (any ResolutionOwner)?

    let id: UInt64
    private let loop: EventLoop
    private var result: Result<[SocketAddress], ResolverError>?
    private var relay: PassRelay?
    private var isFinished = false

    init(host: String, port: UInt16, id: UInt64, loop: EventLoop, owner: any ResolutionOwner) {
        self.host = host
        self.port = port
        self.id = id
        self.loop = loop
        unsafe self.owner = owner
        loop.hold()
    }

    deinit { cancel() }

    /// Ends the look-up; its owner hears nothing more.
    ///
    /// Calling it again, or after the answer, does nothing.
    ///
    /// A thread that is stuck in it keeps its place among the resolver's threads, but holds nothing else up.
    package func cancel() {
        unsafe owner = nil
        finish()
    }

    /// Answers in a pass of its own, never inside the call that asked.
    func answerLater(_ result: Result<[SocketAddress], ResolverError>) {
        self.result = result
        let relay = PassRelay(target: self)
        self.relay = relay
        loop.schedule(relay)
    }

    /// The answer has come; called inside a pass.
    func answer(_ result: Result<[SocketAddress], ResolverError>) {
        guard !isFinished else { return }
        // The strong local keeps the owner alive for the whole call.
        let owner = unsafe self.owner
        finish()
        switch result {
        case .success(let addresses): owner?.resolution(self, didFind: addresses)
        case .failure(let error): owner?.resolution(self, didFailWith: error)
        }
    }

    package func runPass() {
        guard let result else { return }
        answer(result)
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        unsafe relay?.target = nil
        loop.resolver.forget(id)
        loop.unhold()
    }
}
