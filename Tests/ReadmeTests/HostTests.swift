import GenesysLoop
import Testing

extension PageCodeTests {
    @Suite struct HostTests {
        private static let topic: Topic = "v2.users.ID.presence"

        @Test func `the host of the README prints what arrives, until its channel ends`() async throws {
            let service = try await LocalService.start()
            Printed.begin { lines in if lines.count == 3 { service.end() } }
            try listen(to: service.uri, topics: [Self.topic])
            let lines = Printed.end()
            #expect(lines.prefix(3).allSatisfy { $0 == "v2.users.ID.presence AVAILABLE" }, "\(lines)")
            #expect(lines.last?.contains("revoked") == true, "\(lines)")
            await service.close()
        }
    }
}
