import GenesysLoop

/// The addresses of a name, and the outcome of a connection to each.
struct AddressFindings {
    /// The result of an attempt to connect.
    enum Attempt: Equatable {
        case accepted
        /// With the text of the system.
        case refused(String)
        case silent
    }

    let host: String
    let port: UInt16
    /// Whether the name is that of the proxy.
    let isProxy: Bool
    /// The families that are looked up: one for an address.
    private let wanted: [AddressFamily]
    private var answers: [AddressFamily: Result<[SocketAddress], ResolverError>] = [:]
    /// From the start to the last answer.
    private var lookupTime = Duration.zero
    private var attempts: [SocketAddress: (result: Attempt, time: Duration)] = [:]

    init(host: String, port: UInt16, isProxy: Bool) {
        self.host = host
        self.port = port
        self.isProxy = isProxy
        wanted = SocketAddress(numeric: host, port: port).map { [$0.family] } ?? AddressFamily.allCases
    }

    /// Whether each family has answered.
    var isResolved: Bool { wanted.allSatisfy { answers[$0] != nil } }
    /// Whether an address has accepted.
    var isReached: Bool { attempts.values.contains { $0.result == .accepted } }
    /// The addresses without a result.
    var untried: [SocketAddress] { addresses.filter { attempts[$0] == nil } }

    /// In the order of the families, then in that of the system; each once.
    private var addresses: [SocketAddress] {
        let all = wanted.flatMap { (try? answers[$0]?.get()) ?? [] }
        return all.indices.filter { all.firstIndex(of: all[$0]) == $0 }.map { all[$0] }
    }

    /// The first answer of a family counts.
    mutating func answered(
        _ family: AddressFamily, _ result: Result<[SocketAddress], ResolverError>, after time: Duration
    ) {
        guard answers[family] == nil else { return }
        answers[family] = result
        lookupTime = time
    }

    /// No further answer comes.
    mutating func lookupEnded(after time: Duration) {
        if !isResolved { lookupTime = time }
    }

    mutating func tried(_ address: SocketAddress, _ result: Attempt, after time: Duration) {
        attempts[address] = (result, time)
    }

    // MARK: - Checks

    /// The check of the name, then one for each address.
    ///
    /// - Parameter failure: why there is no connection, as a clause, and what to do; nil if there is one.
    func checks(_ failure: (clause: String, advice: String)?) -> [Check] {
        [nameCheck(failure)] + addresses.map { addressCheck($0, failure?.advice) }
    }

    private func nameCheck(_ failure: (clause: String, advice: String)?) -> Check {
        if addresses.isEmpty, let failure {
            let detail = isProxy ? Check.sentence(failure.clause) : "\(host): \(failure.clause)."
            return .failure(.name, after: lookupTime, detail, advice: failure.advice)
        }
        let whose = isProxy ? "The proxy's host \(host)" : "The host \(host)"
        guard wanted.count > 1 else { return .ok(.name, after: lookupTime, "\(whose) is an address, not a name.") }
        let found = wanted.map { "\($0): \(answer(of: $0))" }.joined(separator: "; ")
        let detail = "\(whose) is found (\(found))."
        guard wanted.contains(where: isMissing) else { return .ok(.name, after: lookupTime, detail) }
        return .warning(.name, after: lookupTime, detail, advice: "Check this machine's name servers.")
    }

    /// Whether a family has no answer, or one that another look-up may change.
    private func isMissing(_ family: AddressFamily) -> Bool {
        switch answers[family] {
        case nil: true
        case .success: false
        case .failure(let error): !error.isNoSuchName
        }
    }

    private func answer(of family: AddressFamily) -> String {
        switch answers[family] {
        case nil: "no answer"
        case .success(let addresses): addresses.map(\.host).joined(separator: ", ")
        case .failure(let error): error.isNoSuchName ? "no address" : error.text
        }
    }

    private func addressCheck(_ address: SocketAddress, _ failureAdvice: String?) -> Check {
        let (result, time) = attempts[address] ?? (.silent, .zero)
        let detail: String
        switch result {
        case .accepted: return .ok(.address, after: time, "\(address) accepts connections.")
        case .refused(let text): detail = "\(address): \(text)."
        case .silent: detail = "\(address): no answer."
        }
        let hint = address.lacksZone ? " An address of one link needs a zone, such as %25eth0." : ""
        if let failureAdvice { return .failure(.address, after: time, detail, advice: failureAdvice + hint) }
        return .warning(
            .address, after: time, detail,
            advice: "Check this address: another one works, but an attempt at this one delays connections." + hint)
    }
}
