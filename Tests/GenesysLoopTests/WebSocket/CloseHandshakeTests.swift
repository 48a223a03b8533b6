import Testing

@testable import GenesysLoop

@Suite struct CloseHandshakeTests {
    @Test func `a close of ours is sent once and ends clean with the peer's answer`() {
        var handshake = CloseHandshake()
        #expect(handshake.mayStillDeliver && handshake.maySend)
        #expect(handshake.closeRequested(.normal) == .sendClose(.normal))
        #expect(handshake.closeRequested(.normal) == .nothing)
        #expect(!handshake.mayStillDeliver && !handshake.maySend)
        #expect(handshake.closeReceived(.normal) == .nothing)
        #expect(handshake.state == .exchanged)
        handshake.eofReceived()
        #expect(handshake.state == .closed)
        #expect(handshake.receivedCode == .normal)
        #expect(handshake.isClean)
    }

    @Test func `a close of the peer is answered with its code`() {
        var handshake = CloseHandshake()
        #expect(handshake.closeReceived(.goingAway) == .sendClose(.goingAway))
        #expect(!handshake.mayStillDeliver)
        #expect(handshake.closeRequested(.normal) == .nothing)
        #expect(handshake.closeReceived(.normal) == .nothing)
        handshake.eofReceived()
        #expect(handshake.receivedCode == .goingAway)
    }

    @Test func `a close without a code is answered without one and reported as 1005`() {
        var handshake = CloseHandshake()
        #expect(handshake.closeReceived(nil) == .sendClose(nil))
        #expect(handshake.receivedCode == .noStatusReceived)
    }

    @Test func `an end without a close frame is 1006, before and after ours`() {
        var handshake = CloseHandshake()
        handshake.eofReceived()
        #expect(handshake.receivedCode == .abnormalClosure)
        #expect(!handshake.isClean)
        #expect(handshake.closeRequested(.normal) == .nothing)
        #expect(handshake.closeReceived(.normal) == .nothing)
        handshake = CloseHandshake()
        _ = handshake.closeRequested(.normal)
        handshake.eofReceived()
        #expect(handshake.receivedCode == .abnormalClosure)
        #expect(!handshake.isClean)
    }

    @Test func `a violation sends its code once and waits for nothing`() {
        var handshake = CloseHandshake()
        #expect(handshake.violationDetected(.invalidUTF8) == .sendClose(.invalidPayload))
        #expect(handshake.state == .closed)
        #expect(handshake.violationDetected(.invalidUTF8) == .nothing)
        handshake.eofReceived()
        #expect(handshake.receivedCode == .abnormalClosure)
        handshake = CloseHandshake()
        _ = handshake.closeRequested(.normal)
        #expect(handshake.violationDetected(.reservedBitSet) == .nothing)
        #expect(handshake.state == .closed)
    }
}
