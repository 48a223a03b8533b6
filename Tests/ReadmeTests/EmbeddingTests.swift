import CUV
import GenesysLoop
import Testing

extension PageCodeTests {
    @Suite struct EmbeddingTests {
        @Test func `the embedding of the README leaves nothing on the program's loop`() async throws {
            let service = try await LocalService.start()
            try Self.embedAndLeave(service.uri)
            await service.close()
        }

        private static func embedAndLeave(_ uri: String) throws {
            let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
            // Closed below, before it is freed.
            defer { unsafe raw.deallocate() }
            #expect(unsafe uv_loop_init(raw) == 0)
            Printed.begin()
            let host = TopicPrinter()
            let leave = try unsafe embed(host, in: raw, uri: uri)
            while Printed.count < 3 { unsafe _ = uv_run(raw, UV_RUN_ONCE) }
            leave()
            unsafe _ = uv_run(raw, UV_RUN_DEFAULT)
            #expect(unsafe uv_loop_close(raw) == 0)
            let lines = Printed.end()
            #expect(lines.last == "none of the library's handles is left on the loop", "\(lines)")
        }
    }
}

private final class TopicPrinter: NotificationChannelDelegate {
    func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
        print(notification.topic)
    }
    func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
    func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
    func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { print(failure) }
}
