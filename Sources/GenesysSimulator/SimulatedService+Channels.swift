internal import GenesysLoop

// Channels: creation, eviction, renewal, end. Protocol: REST side, limits, lifetime.
extension SimulatedService {
    /// Creates a channel that belongs to no token, as `POST /api/v2/notifications/channels` without one does.
    ///
    /// One channel above the limit evicts another: the longest unused of those without a socket, else the longest
    /// unused of all. The end of its sockets is due at once, at the next `deadlineReached(now:)`.
    ///
    /// - Throws: the configured `creationRefusal`.
    public mutating func channelCreated(now: Duration) throws(Refusal) -> CreatedChannel {
        try channelCreated(by: nil, now: now)
    }

    /// Creates a channel of a token; all tokens of the client share one limit.
    mutating func channelCreated(by token: Int?, now: Duration) throws(Refusal) -> CreatedChannel {
        advance(to: now)
        if let refusal = configuration.channels.creationRefusal { throw refusal }
        let live = liveChannels(.all).filter { (channels[$0].token == nil) == (token == nil) }
        let isAboveLimit = live.count >= max(1, configuration.channels.maxCount)
        let starves = isAboveLimit && configuration.channels.overflow == .starve
        if isAboveLimit, !starves, let victim = victim(among: live) { perform(endChannel(victim), at: now) }
        let expires = now + scaled(configuration.channels.life)
        let record = ChannelRecord(
            id: makeChannelID(), token: token, isStarved: starves, expires: expires, lastUsed: now)
        channelIndices[record.id] = channels.count
        deadlines.add(.endOfLife(channel: channels.count), at: expires)
        channels.append(record)
        return CreatedChannel(id: record.id, expires: expires)
    }

    /// The ids of the live channels, in the order of creation.
    public var channelIDs: [String] {
        liveChannels(.all).map { channels[$0].id }
    }

    /// When the channel's life ends unless it is renewed; `nil` if there is no such channel.
    public func expiry(of channelID: String) -> Duration? {
        liveChannel(channelID).map { channels[$0].expires }
    }

    private func victim(among live: [Int]) -> Int? {
        let idle = live.filter { channels[$0].sockets.isEmpty }
        return (idle.isEmpty ? live : idle).min { (channels[$0].lastUsed, $0) < (channels[$1].lastUsed, $1) }
    }

    private mutating func makeChannelID() -> String {
        let alphabet = Array("0123456789abcdefghijklmnopqrstuv")
        let digit = generator.next() & 7
        let secret = String((0..<26).map { _ in alphabet[Int(generator.next() & 31)] })
        return "streaming-\(digit)-\(secret)"
    }

    /// Whether a client can still observe the channel.
    ///
    /// The end of its sockets may still be due.
    func isLive(_ channel: Int) -> Bool {
        guard !channels[channel].isGone, channels[channel].expires > latest else { return false }
        // A token that has expired takes its channels with it, although its deadline may not have been processed yet.
        guard let token = channels[channel].token, !tokens[token].isGone else { return true }
        return tokens[token].expires > latest || !configuration.tokens.endChannels
    }

    func liveChannel(_ id: String) -> Int? {
        channelIndices[id].flatMap { isLive($0) ? $0 : nil }
    }

    func liveChannels(_ target: Target) -> [Int] {
        switch target {
        case .all: channels.indices.filter { isLive($0) }
        case .channel(let id): liveChannel(id).map { [$0] } ?? []
        }
    }

    /// A subscribe over the socket or by REST gives the channel a full life again.
    mutating func renew(_ channel: Int, now: Duration) {
        channels[channel].expires = now + scaled(configuration.channels.life)
        channels[channel].lastUsed = now
    }

    mutating func endOfLifeReached(_ channel: Int, due: Duration, into actions: inout [Action]) {
        guard !channels[channel].isGone else { return }
        guard channels[channel].expires <= due else {
            deadlines.add(.endOfLife(channel: channel), at: channels[channel].expires)
            return
        }
        for action in endChannel(channel) {
            emit(action, into: &actions)
        }
    }

    /// Ends the life of a channel; the caller emits the returned actions, which end its sockets where configured.
    mutating func endChannel(_ channel: Int) -> [Action] {
        channels[channel].isGone = true
        channels[channel].topics.removeAll()
        rosterIsStale = true
        switch configuration.endings.goneChannel {
        case .end(let ending):
            return channels[channel].sockets.map { ending.action(on: $0, reason: "Channel is gone") }
        case .stayOpen, .answerNotFound:
            return []
        }
    }
}
