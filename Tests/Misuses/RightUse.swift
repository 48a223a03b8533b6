import GenesysLoop

/// Correct use compiles: without this file the others could fail for any reason.
final class RightUse: NotificationChannelDelegate {
    var kept: [OwnedNotification] = []

    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        kept.append(notification.copy())
    }

    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
}

/// A test makes every value that a delegate is handed, and calls the delegate itself.
func tryOut(_ host: some NotificationChannelDelegate) throws {
    let channel = try NotificationChannel(uri: "ws://localhost/", topics: ["v2.a"], on: UVLoop())
    let failure = ChannelFailure(kind: .receive, reason: .connectionClosed, phase: .open)
    let noon = WallTime(seconds: 1_785_499_200, nanoseconds: 0)
    let notification = try OwnedNotification(topic: "v2.a", body: #"{"id": "1"}"#)
    host.channel(channel, didReceive: notification.borrowed)
    host.channel(channel, didChange: .connecting)
    host.channel(channel, didSubscribe: ["v2.a"])
    host.channel(channel, willReconnect: ReconnectAttempt(number: 1, delay: .seconds(1), failure: failure))
    host.channel(channel, didMiss: Gap(from: noon, to: noon + .seconds(5), reason: .connectionClosed))
    host.channel(channel, didRecover: Recovery(method: .reconnect, attemptCount: 2))
    host.channel(channel, willExpire: .maintenance(deadline: noon))
    host.channel(channel, didFailRollover: ChannelFailure(kind: .rollover, reason: .dns, phase: .dns))
    let rejection = RejectedTopics.Rejection(topic: "v2.b", reason: "no", missingPermissions: ["a:b:view"])
    host.channel(channel, didReject: RejectedTopics([rejection], status: 403))
    host.channel(channel, didDiscard: DiscardedMessage(reason: .invalidMessage, bytes: [0]))
    host.channel(channel, didFail: failure)
    host.channelDidClose(channel)
    precondition(channel.topics.contains(notification.topic))
    precondition(!channel.state.isSubscribed)
    switch failure.remedy {
    case .retryLater, .newChannel, .newToken, .fixConfiguration, .reportToPeer: break
    }
}

func tryOut(_ host: some WebSocketClientDelegate) throws {
    let client = try WebSocketClient(uri: "ws://localhost/", on: UVLoop())
    host.webSocket(client, didFail: WebSocketFailure(reason: .timeout, phase: .upgrade))
}

/// Where one type is thrown, `catch` has it.
func move(_ channel: NotificationChannel, to uri: String) -> ChannelFailure.Phase? {
    do {
        try channel.subscribe("v2.a", "v2.b")
        try channel.rollover(to: uri)
        return nil
    } catch {
        return error.phase
    }
}

let patient = ReconnectPolicy.backoff(.init(base: .seconds(1), cap: .seconds(30), outageTotal: nil))

func close(_ bound: LoopBound<NotificationChannel>) {
    bound.execute { $0.close() }
}

/// A loop with a thread of its own.
func useElsewhere(_ uri: String) async throws {
    let thread = try LoopThread(name: "notifications")
    let channel = try await thread.submit {
        LoopBound(try NotificationChannel(uri: uri, topics: ["v2.a"], on: thread.loop), on: thread.loop)
    }
    guard channel.execute({ $0.open() }) == .taken else { throw UVLoopError.ended }
    print(try await thread.submit { channel.value.topics })
    await thread.shutdown()
}

func useHere(_ thread: LoopThread) throws -> Int {
    defer { thread.shutdown() }
    return try thread.submit { 7 }
}
