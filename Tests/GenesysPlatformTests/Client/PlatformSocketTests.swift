import CUV
import GenesysSimulator
import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

@Suite struct PlatformSocketTests {
    private func fault(
        _ path: String, _ answer: SimulatedService.Fault.Answer, count: Int? = nil, takesEffect: Bool = true
    ) -> SimulatedService.Fault {
        var fault = SimulatedService.Fault(answer: answer)
        fault.path = path
        fault.count = count
        fault.takesEffect = takesEffect
        return fault
    }

    @Test func `channels of one platform share one token`() throws {
        let stage = try PlatformStage()
        let channels = try (0..<3).map { try stage.makeChannel([Topic("v2.users.u\($0).presence")]) }
        for channel in channels { channel.open() }
        try stage.run(untilLogged: "subscribed 1", count: 3)
        #expect(stage.requests.filter { $0 == "POST /oauth/token" }.count == 1)
        #expect(stage.server.service.requests.compactMap(\.token).allSatisfy { $0 == 1 })
        channels[0].close()
        try stage.run(untilLogged: "closed")
        let count = stage.notificationCount
        try stage.run { stage.notificationCount > count + 3 }
        for channel in channels { channel.close() }
        try stage.run(untilLogged: "closed", count: 3)
        stage.leave()
    }

    @Test func `a move whose calls are never answered ends with their deadline, while notifications go on`() throws {
        let stage = try PlatformStage()
        try stage.makePlatform { $0.callDeadline = .milliseconds(200) }
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run { stage.notificationCount >= 3 }
        stage.server.install(fault("channels", .never, takesEffect: false))
        channel.move()
        let count = stage.notificationCount
        try stage.run { stage.requests.filter { $0.hasSuffix("/channels") }.count >= 4 }
        #expect(stage.notificationCount > count)
        channel.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test func `a creation that was made but not answered is adopted`() throws {
        let stage = try PlatformStage()
        var fault = fault("channels", .close, count: 1)
        fault.method = "POST"
        stage.server.install(fault)
        let channel = try stage.makeChannel()
        channel.open()
        try stage.run(untilLogged: "subscribed 2")
        #expect(stage.requests.filter { $0 == "POST /api/v2/notifications/channels" }.count == 1)
        #expect(stage.log.contains("made 1 1"))
        channel.close()
        try stage.run(untilLogged: "closed")
        stage.leave()
    }

    @Test(arguments: [
        (SimulatedService.Fault.Answer.html(status: 200), "invalidMessage"),
        (.empty(), "invalidMessage"), (.truncate, "invalidMessage"),
        (
            .redirect(to: "https://sso.example/?s=1"),
            "invalidStatusCode"
        ), (.html(status: 403), "httpForbidden"),
    ])
    func `an answer of the token endpoint that is of no use ends the first connection with its reason`(
        answer: SimulatedService.Fault.Answer, reason: String
    ) throws {
        let stage = try PlatformStage()
        stage.server.install(fault("oauth/token", answer))
        try stage.makeChannel(total: .zero).open()
        try stage.run(untilLogged: "failed")
        #expect(stage.log.last == "failed token \(reason)")
        stage.leave()
    }

    @Test func `a single call holds the loop, and leaves nothing behind when it is canceled or dropped`() throws {
        let stage = try PlatformStage()
        try stage.makePlatform()
        var description: TokenDescription?
        _ = stage.platform?.call(.describeToken, limit: nil) { result in
            if case .success(.tokenDescription(let value)) = result { description = value }
        }
        try stage.run { description != nil }
        stage.server.install(fault("tokens/me", .never))
        let id = stage.platform?.call(.describeToken, limit: nil) { _ in Issue.record("it was canceled") }
        try stage.run { stage.requests.last?.hasSuffix("tokens/me") ?? false }
        stage.platform?.cancel(try #require(id))
        stage.platform?.cancel(try #require(id))
        _ = stage.platform?.call(.describeToken, limit: nil) { _ in Issue.record("its platform is gone") }
        stage.leave()
    }

    @Test func `on an adopted loop an open channel and its platform leave nothing behind`() throws {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        // Freed at the end, after the detachment.
        try #require(unsafe uv_loop_init(raw) == 0)
        defer { unsafe raw.deallocate() }
        let loop = try unsafe UVLoop(adopting: raw)
        let stage = try PlatformStage(on: loop)
        let channel = try stage.makeChannel()
        channel.open()
        while stage.notificationCount == 0 { _ = unsafe uv_run(raw, UV_RUN_ONCE) }
        var isDetached = false
        loop.closeAll()
        loop.detach { isDetached = true }
        while !isDetached { _ = unsafe uv_run(raw, UV_RUN_ONCE) }
        #expect(stage.log.last == "closed")
        // What is said to an ended channel does nothing, although its loop is gone.
        channel.unsubscribe("v2.users.a.presence")
        channel.move()
        channel.close()
        #expect(unsafe uv_loop_close(raw) == 0)
    }
}
