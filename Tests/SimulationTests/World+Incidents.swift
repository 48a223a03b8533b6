import GenesysSimulator

@testable import GenesysLoop

/// Makes the incidents of the script happen.
extension World {
    func befall(_ incident: Incident) {
        note(nil, "\(incident)")
        switch incident {
        case .cut(let host, let link, let kind): cut(host, link, kind)
        case .hole(let host, let link, let direction): makeHole(host, link, direction)
        case .collapse(let host, let id):
            if let link = links.first(where: { $0.host == host && $0.id == id }) { cut(link, .reset) }
        case .stall(let host, let link, let duration): stall(host, link, duration)
        case .unreachable(let host, let duration): unreachableUntil[host] = time + duration
        case .refusing(let duration): refusesUntil = time + duration
        case .upgrades, .replies, .unanswered, .quiet, .normal: changeService(incident)
        case .maintenance, .disconnect, .notice, .storm, .evict, .expire, .revoke, .junk: operate(incident)
        case .block(let host, _), .suspend(let host, _), .setClock(let host, _), .pause(let host, _), .resume(let host),
            .topics(let host, _), .rollover(let host, _), .close(let host):
            guard !hosts[host].isOver else { return }
            // A blocked host does nothing itself.
            guard hosts[host].blockedUntil <= time else { return plan(incident, at: hosts[host].blockedUntil) }
            act(incident, on: hosts[host])
        }
    }

    private func changeService(_ incident: Incident) {
        var duration: VirtualTime?
        switch incident {
        case .upgrades(let answer, let length):
            service.configuration.channels.upgrade = answer
            duration = length
        case .replies(let reply, let length):
            service.configuration.commands.subscribeReply = reply
            duration = length
        case .unanswered(let length):
            service.configuration.commands.answersUnsubscribe = false
            duration = length
        case .quiet(let heartbeats, let pongs, let length):
            service.configuration.liveness.sendsHeartbeats = heartbeats
            service.configuration.liveness.answersPings = pongs
            duration = length
        default:
            service.configuration.channels.upgrade = .honest
            service.configuration.commands = SimulatedService.Configuration().commands
            service.configuration.liveness = SimulatedService.Configuration().liveness
        }
        if let duration { plan(.normal, at: time + duration) }
    }

    private func operate(_ incident: Incident) {
        let now = serviceTime
        switch incident {
        case .maintenance(let notices, let lead):
            service.configuration.endings.maintenanceNoticeCount = notices
            service.configuration.endings.maintenanceLead = .nanoseconds(lead)
            carry(service.announceMaintenance(.all, now: now))
        case .storm(let count, let interval):
            carry(service.announce(.subscriptionChanged, to: .all, now: now))
            if count > 1 { plan(.storm(count - 1, interval), at: time + interval) }
        case .disconnect(let ending): carry(service.disconnect(.all, ending, now: now))
        case .notice(.tokenRevoked): carry(service.revokeToken(.all, now: now))
        case .notice(let notice): carry(service.announce(notice, to: .all, now: now))
        case .evict(let host): carry(service.evict(channel(of: host), now: now))
        case .expire(let host): carry(service.expireChannel(channel(of: host), now: now))
        case .revoke(let host): carry(service.revokeToken(channel(of: host), now: now))
        case .junk(let number):
            let junk = World.junk[number]
            carry(service.inject(Array(junk.utf8), asBinary: number == 0, into: .all, now: now))
        default: break
        }
    }

    private static let junk = [
        "binary", "{", "[1,2]", #"{"topicName":"v2.system.news","eventBody":{}}"#, #"{"hello":"world"}"#,
    ]

    /// The channel that a host uses now.
    private func channel(of host: Int) -> SimulatedService.Target {
        let target = hosts[host].targets[Int(hosts[host].machine.endpoint.rawValue)]
        return .channel(String(target.dropFirst("/channels/".count)))
    }

    func target(_ destination: Incident.Destination, for host: SimulatedHost) -> String {
        switch destination {
        case .newChannel: makeChannel() ?? "/channels/none"
        case .sameChannel: host.targets[Int(host.machine.endpoint.rawValue)]
        case .unknownChannel: "/channels/unknown"
        }
    }

    /// Ends what blocks a host before the quiet phase.
    private func withinScript(_ duration: VirtualTime) -> VirtualTime {
        max(0, min(duration, scenario.length - time))
    }

    private func isStalled(_ host: SimulatedHost) -> Bool {
        links.contains { $0.host == host.index && $0.stalledUntil > time }
    }

    private func act(_ incident: Incident, on host: SimulatedHost) {
        switch incident {
        case .block where isStalled(host), .suspend where isStalled(host):
            break
        case .block(_, let wanted):
            host.blockedUntil = time + withinScript(wanted)
        case .suspend(_, let wanted):
            let duration = withinScript(wanted)
            host.blockedUntil = time + duration
            host.clock.asleep += duration
        case .setClock(_, let step):
            host.clock.wallOffset += step
        case .pause(_, let duration):
            host.pause()
            plan(.resume(host: host.index), at: time + withinScript(duration))
        case .resume: host.resume()
        case .topics(_, let topics): host.setTopics(topics)
        case .rollover(_, let destination): host.rollover(to: target(destination, for: host))
        case .close: host.close()
        default: break
        }
        host.auditor.examine(host)
    }
}
