internal import GenesysLoop

// Tokens: creation, end, and the channels that end with them.
extension SimulatedService {
    /// Tokens made since the start, those of other processes included.
    public var madeTokenCount: Int { tokens.count }

    /// The number of live tokens.
    public var liveTokenCount: Int { tokenIndices.values.count { isLiveToken($0) } }

    /// Ends every live token now, as the end of its life does.
    public mutating func expireTokens(now: Duration) -> [Action] {
        advance(to: now)
        var actions: [Action] = []
        for action in endTokens() { emit(action, into: &actions) }
        return actions
    }

    /// Another process with the same OAuth client starts: it gets a token, and makes channels with it.
    ///
    /// What this does to tokens and channels of the client is due at once, at the next `deadlineReached(now:)`.
    public mutating func otherProcessStarted(channelCount: Int, now: Duration) {
        advance(to: now)
        let token = makeToken(now: now)
        // A refusal applies to the other process too.
        for _ in 0..<max(0, channelCount) { _ = try? channelCreated(by: token, now: now) }
    }

    func isLiveToken(_ token: Int) -> Bool {
        !tokens[token].isGone && tokens[token].expires > latest
    }

    /// The client is not active, and still has tokens.
    var hasLostClient: Bool { configuration.tokens.clientState != .active && !tokenIndices.isEmpty }

    /// What `GET tokens/me` says: a client's token has no user.
    var tokenDescription: [UInt8] {
        var organization = JSONObject()
        organization.add("id", "00000000-0000-4000-8000-000000000001")
        organization.add("name", "Simulated organization")
        var client = JSONObject()
        client.add("id", configuration.tokens.clientID)
        client.add("name", "Simulated client")
        client.add("authorizedGrantType", "CLIENT-CREDENTIALS")
        client.add("scope", [])
        var object = JSONObject()
        object.add("organization", json: organization.finished())
        object.add("homeOrganization", json: organization.finished())
        object.add("authorizedScope", [])
        object.add("OAuthClient", json: client.finished())
        return object.finished()
    }

    /// Makes a token; the oldest of too many end.
    mutating func makeToken(now: Duration) -> Int {
        let live = tokenIndices.values.filter { isLiveToken($0) }.sorted()
        let excess = live.count - max(1, configuration.tokens.maxLiveCount) + 1
        for token in live.prefix(max(0, excess)) { perform(endToken(token), at: now) }
        let token = TokenRecord(value: makeTokenValue(), expires: now + scaled(configuration.tokens.life))
        tokenIndices[token.value] = tokens.count
        deadlines.add(.endOfToken(tokens.count), at: token.expires)
        tokens.append(token)
        return tokens.count - 1
    }

    private mutating func makeTokenValue() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        return String((0..<86).map { _ in alphabet[Int(generator.next() & 63)] })
    }

    mutating func endTokens() -> [Action] {
        tokenIndices.values.sorted().flatMap { endToken($0) }
    }

    /// Ends a token, and its channels where configured; the caller emits the returned actions.
    mutating func endToken(_ token: Int) -> [Action] {
        guard !tokens[token].isGone else { return [] }
        tokens[token].isGone = true
        tokenIndices[tokens[token].value] = nil
        guard configuration.tokens.endChannels else { return [] }
        return channels.indices.filter { channels[$0].token == token && !channels[$0].isGone }.flatMap {
            endChannel($0)
        }
    }
}
