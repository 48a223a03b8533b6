import GenesysSimulator

@testable import GenesysLoop

/// The network: it makes connections, carries packets, and breaks.
extension World {
    func connect(_ id: LinkID, to target: String, from host: SimulatedHost) -> NetworkLink {
        let latency = host.latency * VirtualTime(random.within(90...110)) / 100
        let link = NetworkLink(
            id: id, host: host.index, target: target, latency: latency, jitter: scenario.jitter,
            random: SplitMix64(seed: random.next()))
        link.deadline = host.now.instant + .seconds(10)
        link.lastReadAt = time
        link.truth.made(at: time, host.now.instant)
        link.isUpLost = time < unreachableUntil[host.index]
        links.removeAll { $0.isOver }
        links.append(link)
        if time < refusesUntil, !link.isUpLost {
            let failure = ChannelFailure(reason: .connect, phase: .connect)
            link.sendDown(.end(LinkEnd(failure: failure)), at: time + latency)
        } else {
            // TCP and TLS take a round trip each before the request can go.
            link.sendUp(.upgrade, at: time, extra: 4 * latency)
        }
        return link
    }

    private static let ping = Command.ping

    func arrive(_ packet: NetworkLink.Packet<NetworkLink.Up>, on link: NetworkLink) {
        switch packet.content {
        case .upgrade:
            // Only an awake host can send a request.
            let awake = hosts[link.host].blockedUntil
            guard awake <= time - link.latency else { return link.sendUp(.upgrade, at: awake) }
            upgrade(link)
        case .text(let bytes):
            guard let socket = link.socket else { return }
            if bytes == World.ping { link.truth.pingRead(sentAt: packet.sentAt) }
            let before = topicMask(of: link)
            carry(service.textReceived(on: socket, bytes, now: serviceTime))
            noteTaken(before, by: link)
        case .close:
            end(link)
            link.sendDown(.close(1000), at: time)
        case .gone:
            end(link)
        }
    }

    private func topicMask(of link: NetworkLink) -> UInt16 {
        guard scenario.sharesChannel else { return 0 }
        let names = try? service.subscriptions(of: String(link.target.dropFirst("/channels/".count)))
        return TopicPlan.mask(of: names ?? [])
    }

    /// A client that takes its topics from a shared channel takes them from the other clients too, without a notice to
    /// them.
    private func noteTaken(_ before: UInt16, by link: NetworkLink) {
        guard scenario.sharesChannel else { return }
        let after = topicMask(of: link)
        for host in hosts where host.targets.contains(link.target) {
            if host.index != link.host { host.auditor.taken |= before & ~after }
            host.auditor.taken &= ~after
        }
    }

    private func end(_ link: NetworkLink) {
        guard let socket = link.socket else { return }
        sockets[socket] = nil
        service.socketEnded(socket, now: serviceTime)
        carry([])
    }

    private func upgrade(_ link: NetworkLink) {
        let answer = service.upgradeRequested(target: link.target, now: serviceTime)
        note(nil, "upgrade of \(link.id.rawValue) of host \(link.host): \(answer)")
        switch answer {
        case .accept(let socket):
            link.socket = socket
            link.truth.acceptedAt = time
            noteBlindSpan(link)
            sockets[socket] = link
            link.sendDown(.accepted, at: time)
        case .refuse(let refusal):
            link.sendDown(.end(LinkEnd(refusal)), at: time)
        case .reset:
            link.sendDown(.end(.broken(link)), at: time)
        case .neverAnswer:
            break
        }
        carry([])
    }

    /// A service that closes the old socket less than one latency before it accepts the new one looks like a hand-over.
    /// What it was given to send in between is lost, and a host cannot detect this.
    private func noteBlindSpan(_ link: NetworkLink) {
        for old in links where old.host == link.host && old.target == link.target {
            guard let closedAt = old.closedAt, time - closedAt <= link.blindSpan(after: old) else { continue }
            // Another client may have received notifications of the moment before.
            let takenFrom = scenario.sharesChannel ? closedAt - .milliseconds(200) : closedAt
            hosts[link.host].auditor.excuse(from: takenFrom, to: time)
        }
    }

    // MARK: - Trouble

    /// The n-th connection of a host that it still uses.
    private func victim(_ host: Int, _ number: Int) -> NetworkLink? {
        let candidates = links.filter { $0.host == host && ($0.phase == .open || $0.phase == .connecting) }
        return candidates.isEmpty ? nil : candidates[number % candidates.count]
    }

    func cut(_ host: Int, _ number: Int, _ kind: Incident.Cut) {
        if let link = victim(host, number) { cut(link, kind) }
    }

    func cut(_ link: NetworkLink, _ kind: Incident.Cut) {
        guard !link.isDownLost else { return }
        note(nil, "cuts \(link.id.rawValue) of host \(link.host): \(kind)")
        link.up.removeAll()
        end(link)
        link.isUpLost = true
        switch kind {
        case .reset: link.loseDown(after: time, evenArrived: false)
        case .resetLosingUnread: link.loseDown(after: time, evenArrived: true)
        case .endOfFile: break
        }
        link.sendDown(.end(.broken(link)), at: time)
        link.isDownLost = true
    }

    func makeHole(_ host: Int, _ number: Int, _ direction: Incident.Direction) {
        guard let link = victim(host, number) else { return }
        note(nil, "makes a hole of \(link.id.rawValue) of host \(host): \(direction)")
        if direction != .down {
            link.up.removeAll()
            link.isUpLost = true
            plan(.collapse(host: host, link.id), at: time + .seconds(30))
        }
        if direction != .up {
            link.loseDown(after: time, evenArrived: false)
            link.isDownLost = true
            link.darkSince = link.darkSince ?? time
        }
    }

    func stall(_ host: Int, _ number: Int, _ duration: VirtualTime) {
        // What was read after a short block may be older than a stall that began in it; a host cannot know.
        guard let link = victim(host, number), hosts[host].blockedUntil <= time else { return }
        note(nil, "stalls \(link.id.rawValue) of host \(host) for \(duration.text) s")
        link.stall(until: time + duration, now: time)
    }
}

extension LinkEnd {
    /// A refused upgrade, as the library reports it.
    init(_ refusal: SimulatedService.Refusal) {
        let reason: FailureReason =
            switch refusal.status {
            case 401: .httpUnauthorized
            case 403: .httpForbidden
            case 404: .httpNotFound
            case 429: .httpTooManyRequests
            default: .invalidStatusCode
            }
        let seconds = refusal.headers.first { $0.name == "Retry-After" }.flatMap { Int($0.value) }
        self.init(
            failure: ChannelFailure(
                reason: reason, phase: .upgrade, status: refusal.status, retryAfter: seconds.map { .seconds($0) }))
    }
}
