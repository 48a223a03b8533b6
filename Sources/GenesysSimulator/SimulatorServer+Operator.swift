public import GenesysLoop

/// The events that an operator of the service, or a test, can cause at any time.
///
/// See `SimulatedService` for details.
extension SimulatorServer {
    /// Announces maintenance on every open socket of the target, and ends these sockets
    /// `configuration.endings.maintenanceLead` later.
    public func announceMaintenance(_ target: SimulatedService.Target = .all) {
        operate { $0.announceMaintenance(target, now: $1) }
    }

    /// Ends the life of channels now.
    public func expireChannel(_ target: SimulatedService.Target) {
        operate { $0.expireChannel(target, now: $1) }
    }

    /// Evicts channels, as exceeding the limit does.
    public func evict(_ target: SimulatedService.Target) {
        operate { $0.evict(target, now: $1) }
    }

    /// Revokes the token that created the channels.
    public func revokeToken(_ target: SimulatedService.Target = .all) {
        operate { $0.revokeToken(target, now: $1) }
    }

    /// Sends a system message on every open socket.
    public func announce(_ notice: SimulatedService.SystemNotice, to target: SimulatedService.Target = .all) {
        operate { $0.announce(notice, to: target, now: $1) }
    }

    /// Ends every open socket.
    ///
    /// The channels stay.
    public func disconnect(
        _ target: SimulatedService.Target = .all, _ ending: SimulatedService.Configuration.Endings.Ending = .drop
    ) {
        operate { $0.disconnect(target, ending, now: $1) }
    }

    /// Sends any bytes on every open socket.
    public func inject(_ message: [UInt8], asBinary: Bool = false, into target: SimulatedService.Target = .all) {
        operate { $0.inject(message, asBinary: asBinary, into: target, now: $1) }
    }

    /// Sends a message unchanged to every channel that has the topic.
    public func publish(_ message: [UInt8], to topic: Topic) {
        operate { $0.publish(message, to: topic, now: $1) }
    }

    /// Sends a notification with this body and a fresh correlation id to every channel that has the topic.
    public func publish(eventBody: [UInt8], to topic: Topic) {
        operate { $0.publish(eventBody: eventBody, to: topic, now: $1) }
    }

    /// Adds (`POST …/subscriptions`) or replaces (`PUT`) the topics of a channel, and renews its life.
    ///
    /// - Throws: `SimulatedService.Refusal`.
    @discardableResult
    public func changeSubscriptions(
        _ topics: [Topic], of channelID: String, replaces: Bool = false, ignoringErrors: Bool = false
    ) throws(SimulatedService.Refusal) -> [SimulatedService.TopicState] {
        loop.preconditionCurrent("SimulatorServer.changeSubscriptions")
        defer { serviceDidChange() }
        return try service.subscriptionsChanged(
            topics, of: channelID, replaces: replaces, ignoringErrors: ignoringErrors, now: now)
    }

    /// Removes all topics of a channel, as `DELETE …/subscriptions` does.
    ///
    /// - Throws: `SimulatedService.Refusal`.
    public func removeSubscriptions(of channelID: String) throws(SimulatedService.Refusal) {
        loop.preconditionCurrent("SimulatorServer.removeSubscriptions")
        defer { serviceDidChange() }
        try service.subscriptionsRemoved(of: channelID, now: now)
    }

    /// Ends every live token, as the end of its life does.
    public func expireTokens() {
        operate { $0.expireTokens(now: $1) }
    }

    /// Another process with the same OAuth client gets a token, and makes channels with it.
    public func startOtherProcess(channelCount: Int) {
        operate {
            $0.otherProcessStarted(channelCount: channelCount, now: $1)
            return []
        }
    }

    /// Disturbs requests to the REST side from now on; replaces the fault of the same path and method, which `.honest`
    /// only removes.
    public func install(_ fault: SimulatedService.Fault) {
        loop.preconditionCurrent("SimulatorServer.install")
        service.install(fault)
    }

    private func operate(_ body: (inout SimulatedService, Duration) -> [SimulatedService.Action]) {
        loop.preconditionCurrent("SimulatorServer")
        perform(body(&service, now))
        serviceDidChange()
    }
}
