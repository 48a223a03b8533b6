import GenesysLoop
import Testing

extension PageCodeTests {
    @Suite struct RelayTests {
        private static let topic: Topic = "v2.users.ID.presence"

        @Test @MainActor func `the relay of the page shows all on the main actor, over its marks`() async throws {
            let service = try await LocalService.start(rate: 50_000)
            var (count, failures, isFailureLast) = (0, 0, false)
            try await follow(service.uri, topics: [Self.topic]) { event in
                isFailureLast = false
                switch event {
                case .notification(let notification):
                    #expect(notification.topic == Self.topic.rawValue)
                    count += 1
                    if count == 2_500 { service.end() }
                case .failure:
                    (failures, isFailureLast) = (failures + 1, true)
                case .gap, .mark:
                    Issue.record("\(event)")
                }
            }
            #expect(count >= 2_500 && failures == 1 && isFailureLast)
            await service.close()
        }

        @Test func `the relay of the page rests at its mark, and its stream ends after close`() async throws {
            let service = try await LocalService.start(rate: 50_000)
            let (events, stream) = AsyncStream.makeStream(of: Relay.Event.self)
            let thread = try LoopThread()
            let relay = try await thread.submit { [loop = thread.loop] in
                LoopBound(try Relay(service.uri, topics: [Self.topic], on: loop, to: stream), on: loop)
            }
            var seen: [Relay.Event] = []
            for await event in events {
                seen.append(event)
                // Not resumed: only the end may follow.
                if case .mark = event { relay.execute { $0.close() } }
            }
            #expect(seen.count == 1_001)
            if case .mark? = seen.last {} else { Issue.record("\(String(describing: seen.last)) is not the mark") }
            await thread.shutdown()
            await service.close()
        }

        @Test @MainActor func `canceling the task of the relay closes its channel`() async throws {
            let service = try await LocalService.start(rate: 1_000)
            var task: Task<Void, any Error>?
            task = Task { @MainActor in
                try await follow(service.uri, topics: [Self.topic]) { _ in task?.cancel() }
            }
            try await task?.value
            // The service receives the channel's Close frame: its socket ends while the server runs.
            while try await service.openSocketCount() > 0 { await Task.yield() }
            await service.close()
        }
    }
}
