import GenesysLoop
import Testing

extension PageCodeTests {
    @Suite struct WatchTests {
        @Test func `another thread asks whether notifications arrive, also after the loop has ended`() async throws {
            let service = try await LocalService.start()
            let thread = try LoopThread()
            Printed.begin()
            let isHealthy = try openWatch(service.uri, on: thread)
            while !isHealthy() { await Task.yield() }
            await thread.shutdown()
            #expect(!isHealthy())
            #expect(Printed.end().first == "connecting")
            await service.close()
        }
    }
}
