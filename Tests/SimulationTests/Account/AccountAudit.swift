import GenesysSimulator

@testable import GenesysLoop
@testable import GenesysPlatform

/// Watches the calls of an account.
struct AccountAudit {
    /// The ids of the channels that our calls made.
    private var made: Set<String> = []
    /// What no text may show: the secret of the client, the latest tokens and ids.
    private var secrets: [String] = []
    private var mintedAt: VirtualTime?
    private(set) var mintCount = 0
    private(set) var callCount = 0
    private(set) var adoptedCount = 0
    /// The channels that a call made whose answer was lost.
    private var orphans: Set<String> = []
    /// When the service accepts the next call with a token.
    private var opensAt: [TokenID: VirtualTime] = [:]

    // MARK: - Calls

    mutating func willPerform(_ action: RESTMachine.Action, _ world: AccountWorld) {
        switch action {
        case .send(_, .mintToken, _), .ask:
            if world.flights.values.contains(where: { $0.call == .mintToken }) {
                world.fail("two requests for a token")
            }
            if let mintedAt, world.time - mintedAt < .second { world.fail("a token is asked for too soon") }
            mintedAt = world.time
            mintCount += 1
        case .send(_, let call, let token):
            callCount += 1
            guard let token else { return world.fail("a call without a token: \(call)") }
            hides(token.value.text)
            if let time = opensAt[token.id], world.time < time {
                world.fail("\(call) although the service asked to wait")
            }
            if world.liveCount == 0, !call.isCleanUp { world.fail("\(call) after the end") }
        case .answer, .cancel, .keep, .tokenChanged, .tell:
            break
        }
    }

    mutating func answered(_ flight: AccountWorld.Flight, _ answer: RESTAnswer, _ world: AccountWorld) {
        guard answer.status == 429, let token = flight.token else { return }
        let opens = world.time + Instant(sinceOrigin: answer.retryAfter ?? .seconds(3)).nanoseconds
        opensAt[token.id] = max(opensAt[token.id] ?? 0, opens)
    }

    /// The service has answered a request.
    ///
    /// - Parameter before: the channels that there were.
    mutating func served(
        _ request: SimulatedService.RESTRequest, before: Set<String>, isHeard: Bool, _ world: AccountWorld
    ) {
        guard request.method == "POST", request.target.hasSuffix("/channels") else { return }
        let after = Set(world.service.channelIDs)
        let new = after.subtracting(before)
        made.formUnion(new)
        for id in new.sorted() { hides(id) }
        if !isHeard { orphans.formUnion(new) }
        let lost = before.subtracting(after)
        for program in world.programs where program.channelID.map(lost.contains) ?? false {
            world.fail("a creation of ours removed the channel of \(program.index)")
        }
        if made.intersection(after).count > 20 { world.fail("more than 20 channels") }
    }

    // MARK: - Channels

    /// A program goes to a channel.
    mutating func goes(to uri: SecretBytes, _ program: AccountProgram) {
        let world = program.world
        let id = uri.text.split(separator: "/").last.map(String.init) ?? ""
        if !made.contains(id) { world.fail("\(program.index) goes to a channel of a stranger") }
        if orphans.remove(id) != nil { adoptedCount += 1 }
        for other in world.programs where other !== program && other.machine.places.contains(uri) {
            world.fail("\(program.index) goes to a channel of \(other.index)")
        }
    }

    // MARK: - Texts

    mutating func hides(_ text: String) {
        guard !secrets.contains(text) else { return }
        secrets.append(text)
        if secrets.count > 16 { secrets.remove(at: 1) }
    }

    func examine(_ text: @autoclosure () -> String, _ world: AccountWorld) {
        let text = text()
        if secrets.contains(where: text.contains) { world.fail("a secret in \"\(text)\"") }
    }

    // MARK: - The end

    func finished(_ world: AccountWorld) {
        let left = world.rest.calls.filter { !$0.call.isCleanUp }
        if !left.isEmpty { world.fail("\(left.count) calls are left") }
        let pending = world.flights.values.filter { !$0.call.isCleanUp && $0.call != .mintToken }
        if !pending.isEmpty { world.fail("\(pending.map(\.call)) are under way after the end") }
    }
}
