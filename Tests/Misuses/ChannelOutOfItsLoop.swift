import GenesysLoop

/// A channel does not leave the thread of its loop: `submit` returns it in a `LoopBound`.
func make(_ uri: String, on thread: LoopThread) throws {
    _ = try thread.submit { try NotificationChannel(uri: uri, topics: [], on: thread.loop) }  // error: Sendable
}
