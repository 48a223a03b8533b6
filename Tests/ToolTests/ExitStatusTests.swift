import Testing

@testable import GenesysLoop
@testable import genesys_loop

@Suite struct ExitStatusTests {
    static let table: [(FailureReason, ChannelFailure.Remedy, Int32)] = [
        (.dns, .retryLater, 69), (.connect, .retryLater, 69), (.timeout, .retryLater, 69),
        (.proxy, .fixConfiguration, 69), (.tlsExpired, .fixConfiguration, 77),
        (.tlsNotYetValid, .fixConfiguration, 77), (.tlsHostMismatch, .fixConfiguration, 77),
        (.tlsUnknownIssuer, .fixConfiguration, 77), (.tlsSelfSigned, .fixConfiguration, 77),
        (.tlsPinMismatch, .fixConfiguration, 77), (.tlsClientCertificate, .fixConfiguration, 77),
        (.tlsHandshake, .fixConfiguration, 69), (.httpUnauthorized, .newToken, 77), (.httpForbidden, .newToken, 77),
        (.httpNotFound, .newChannel, 66), (.httpTooManyRequests, .retryLater, 69),
        (.invalidStatusCode, .fixConfiguration, 69), (.invalidHandshake, .reportToPeer, 76),
        (.invalidURI, .fixConfiguration, 64), (.invalidMessage, .reportToPeer, 76),
        (.unrecognizedMessage, .reportToPeer, 76), (.connectionClosed, .retryLater, 69),
        (.heartbeatLost, .retryLater, 69), (.channelExpired, .newChannel, 66), (.channelClosing, .retryLater, 69),
        (.channelTakenOver, .newChannel, 66), (.subscriptionRefused, .fixConfiguration, 78),
        (.subscriptionTimeout, .retryLater, 69), (.messageTooLarge, .fixConfiguration, 76),
        (.protocolViolation, .reportToPeer, 76), (.tokenRevoked, .newToken, 77), (.ambiguous, .reportToPeer, 69),
    ]

    @Test(arguments: table)
    func `every reason has its remedy and its status`(
        reason: FailureReason, remedy: ChannelFailure.Remedy, status: Int32
    ) {
        let failure = ChannelFailure(reason: reason, phase: .open)
        #expect(failure.remedy == remedy)
        #expect(ExitStatus(failure).rawValue == status)
    }

    @Test func `what a failure says beyond its reason changes its remedy`() {
        func remedy(
            _ reason: FailureReason, _ phase: ChannelFailure.Phase = .open, status: Int? = nil, isRetryable: Bool? = nil
        ) -> ChannelFailure.Remedy {
            ChannelFailure(reason: reason, phase: phase, status: status, isRetryable: isRetryable).remedy
        }
        #expect(remedy(.dns, .dns, isRetryable: false) == .fixConfiguration, "there is no such name")
        #expect(remedy(.connectionClosed, .subscribe, isRetryable: false) == .reportToPeer, "the Close is an answer")
        #expect(remedy(.invalidStatusCode, .upgrade, status: 503) == .retryLater)
        #expect(remedy(.proxy, .proxy, status: 502, isRetryable: true) == .retryLater)
        #expect(remedy(.httpForbidden, .upgrade, status: 403) == .newToken)
        #expect(remedy(.httpForbidden, .subscribe, status: 403) == .fixConfiguration, "a topic needs a permission")
    }

    @Test func `every exit status of the table is the tool's of the same number`() {
        for (reason, _, _) in Self.table {
            let failure = ChannelFailure(reason: reason, phase: .open)
            #expect(ExitStatus(failure).rawValue == failure.consequence.exitStatus.rawValue, "\(reason)")
        }
    }

    @Test func `a reason that the table does not have means the same as an ambiguous one`() {
        let unknown = ChannelFailure(reason: FailureReason(rawValue: "unheardOf"), phase: .open)
        #expect(unknown.consequence == ChannelFailure(reason: .ambiguous, phase: .open).consequence)
    }

    @Test func `the kind of a failure does not change its status`() {
        let failure = ChannelFailure(reason: .httpForbidden, phase: .subscribe, status: 403)
        #expect(ExitStatus(failure.asKind(.reconnect)) == .notPermitted)
        #expect(ExitStatus(failure.asKind(.authorization)) == .notPermitted)
    }

    @Test func `a channel that is gone has its status in every phase and kind`() {
        for phase in [ChannelFailure.Phase.upgrade, .subscribe] {
            let failure = ChannelFailure(reason: .httpNotFound, phase: phase, status: 404)
            #expect(ExitStatus(failure).rawValue == 66)
            #expect(ExitStatus(failure.asKind(.reconnect)).rawValue == 66)
        }
        // A proxy's 404 does not concern the channel.
        #expect(ExitStatus(ChannelFailure(reason: .proxy, phase: .proxy, status: 404)).rawValue == 69)
    }

    @Test func `a channel that was made for the program is gone again after it was replaced: unavailable`() {
        for reason in [FailureReason.httpNotFound, .channelExpired, .channelTakenOver] {
            let failure = ChannelFailure(reason: reason, phase: .provision)
            #expect(ExitStatus(failure).rawValue == 69)
            #expect(ExitStatus(failure.asKind(.reconnect)).rawValue == 69)
            #expect(failure.remedy == .retryLater)
        }
    }

    @Test func `a certificate that is not acceptable for another cause is not permitted`() {
        let failure = ChannelFailure(reason: .tlsHandshake, phase: .tls, isCertificateFault: true)
        #expect(ExitStatus(failure) == .notPermitted)
    }

    @Test func `a proxy that wants a password is not permitted`() {
        #expect(ExitStatus(ChannelFailure(reason: .proxy, phase: .proxy, status: 407)) == .notPermitted)
        #expect(ExitStatus(ChannelFailure(reason: .proxy, phase: .proxy, status: 502)) == .unavailable)
    }
}
