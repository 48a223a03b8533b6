import Testing

@testable import GenesysLoop
@testable import genesys_loop

@Suite struct ExitStatusTests {
    static let table: [(FailureReason, Int32)] = [
        (.dns, 69), (.connect, 69), (.timeout, 69), (.proxy, 69), (.tlsExpired, 77), (.tlsNotYetValid, 77),
        (.tlsHostMismatch, 77), (.tlsUnknownIssuer, 77), (.tlsSelfSigned, 77), (.tlsPinMismatch, 77),
        (.tlsClientCertificate, 77), (.tlsHandshake, 69), (.httpUnauthorized, 77), (.httpForbidden, 77),
        (.httpNotFound, 66), (.httpTooManyRequests, 69), (.invalidStatusCode, 69), (.invalidHandshake, 76),
        (.invalidURI, 64), (.invalidMessage, 76), (.unrecognizedMessage, 76), (.connectionClosed, 69),
        (.heartbeatLost, 69), (.channelExpired, 66), (.channelClosing, 69), (.channelTakenOver, 66),
        (.subscriptionRefused, 78), (.subscriptionTimeout, 69), (.messageTooLarge, 76), (.protocolViolation, 76),
        (.tokenRevoked, 77), (.ambiguous, 69),
    ]

    @Test(arguments: table)
    func `every reason has its status`(reason: FailureReason, status: Int32) {
        #expect(ExitStatus(ChannelFailure(reason: reason, phase: .open)).rawValue == status)
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

    @Test func `a certificate that is not acceptable for another cause is not permitted`() {
        let failure = ChannelFailure(reason: .tlsHandshake, phase: .tls, isCertificateFault: true)
        #expect(ExitStatus(failure) == .notPermitted)
    }

    @Test func `a proxy that wants a password is not permitted`() {
        #expect(ExitStatus(ChannelFailure(reason: .proxy, phase: .proxy, status: 407)) == .notPermitted)
        #expect(ExitStatus(ChannelFailure(reason: .proxy, phase: .proxy, status: 502)) == .unavailable)
    }
}
