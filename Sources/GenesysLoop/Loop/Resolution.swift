internal import CUV

/// The owner of a `Resolution`.
package protocol ResolutionOwner: AnyObject {
    /// The answer for one family: its addresses, at least one, in the system's order of preference, or why there are
    /// none.
    ///
    /// Comes once for each family, in the order in which the answers arrive. After the last one `resolution.isOver` is
    /// true.
    func resolution(
        _ resolution: Resolution, didEnd family: AddressFamily, with result: Result<[SocketAddress], ResolverError>)
}

/// One running look-up.
///
/// Its owner is notified once for each family, unless the look-up is canceled or dropped before.
package final class Resolution: LoopTask {
    /// The name or the numeric address that is looked up.
    package let host: String
    package let port: UInt16

    /// Unretained. Before the owner is destroyed it must be set to nil, or the look-up canceled or dropped.
    package unowned(unsafe) var owner: (any ResolutionOwner)?

    /// Whether all answers have come.
    package private(set) var isOver = false

    let id: UInt64
    private let loop: UVLoop
    /// The families that have not answered.
    private var awaited = AddressFamily.allCases
    /// Answers that the owner has not heard yet.
    private var results: [(family: AddressFamily, result: Result<[SocketAddress], ResolverError>)] = []
    private var relay: TaskRelay?

    init(host: String, port: UInt16, id: UInt64, loop: UVLoop, owner: any ResolutionOwner) {
        self.host = host
        self.port = port
        self.id = id
        self.loop = loop
        unsafe self.owner = owner
        loop.hold()
    }

    deinit { cancel() }

    /// Ends the look-up; its owner gets no further call.
    ///
    /// Calling it again, or after the last answer, does nothing.
    ///
    /// A thread that is stuck in the look-up blocks nothing else.
    package func cancel() {
        unsafe owner = nil
        finish()
    }

    /// Why there is no answer yet, as a clause.
    package var silence: String {
        loop.resolver.isQueued(self)
            ? "the system's resolver answers none of the \(loop.resolver.threadCount) look-ups before this one"
            : "the system's resolver does not answer"
    }

    func question(_ family: AddressFamily) -> LookupQuestion {
        LookupQuestion(host: host, port: port, family: family)
    }

    /// Answers in a separate task, never inside the call that asked.
    ///
    /// - Parameter isAll: the other family is not looked up.
    func answerLater(
        _ result: Result<[SocketAddress], ResolverError>, from family: AddressFamily, isAll: Bool = false
    ) {
        if isAll { awaited = [family] }
        results.append((family, result))
        guard relay == nil else { return }
        let relay = TaskRelay(target: self)
        self.relay = relay
        loop.schedule(relay)
    }

    /// An answer has arrived; called inside a pass.
    func answer(_ result: Result<[SocketAddress], ResolverError>, from family: AddressFamily) {
        guard !isOver, let index = awaited.firstIndex(of: family) else { return }
        awaited.remove(at: index)
        // The strong local keeps the owner alive for the whole call.
        let owner = unsafe self.owner
        if awaited.isEmpty { finish() }
        owner?.resolution(self, didEnd: family, with: result)
    }

    package func runTask() {
        relay = nil
        let results = self.results
        self.results = []
        for (family, result) in results { answer(result, from: family) }
    }

    private func finish() {
        guard !isOver else { return }
        isOver = true
        unsafe relay?.target = nil
        loop.resolver.forget(self)
        loop.unhold()
    }
}

/// A name could not be resolved.
package struct ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The code of `getaddrinfo`.
    package let code: Int32

    /// The text of the code, such as "Name or service not known".
    package let text: String

    /// Whether the name does not exist, as opposed to a look-up that failed.
    package let isNoSuchName: Bool

    /// Whether the interface of a numeric address is missing; no name was looked up then.
    package let isAboutInterface: Bool

    package init(code: Int32, text: String, isNoSuchName: Bool, isAboutInterface: Bool = false) {
        self.code = code
        self.text = text
        self.isNoSuchName = isNoSuchName
        self.isAboutInterface = isAboutInterface
    }

    /// For an address with a zone that this machine does not have.
    static func noInterface(_ zone: String) -> ResolverError {
        ResolverError(
            code: UV_ENODEV.rawValue, text: "no network interface is called “\(zone)”", isNoSuchName: false,
            isAboutInterface: true)
    }

    /// For texts that cannot be names and are not looked up.
    static func noSuchName(_ text: String) -> ResolverError {
        ResolverError(code: cuv_no_such_name_code(), text: text, isNoSuchName: true)
    }

    /// The error of a look-up in which both families failed.
    ///
    /// The name does not exist only if both families say so; otherwise a later look-up may succeed.
    package static func combined(_ errors: [(family: AddressFamily, error: ResolverError)]) -> ResolverError {
        let errors = errors.sorted { $0.family == .ipv6 && $1.family != .ipv6 }
        guard let first = errors.first?.error else { return noSuchName("the name has no address") }
        guard errors.count > 1 else { return first }
        let isSame = errors.allSatisfy { $0.error.text == first.text }
        return ResolverError(
            code: (errors.first { !$0.error.isNoSuchName }?.error ?? first).code,
            text: isSame ? first.text : errors.map { "\($0.family): \($0.error.text)" }.joined(separator: "; "),
            isNoSuchName: errors.allSatisfy(\.error.isNoSuchName))
    }

    package var description: String { "resolve: \(text)" }
}
