import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

extension PageCodeTests {
    @Suite struct CompanyConfigurationTests {
        @Test func `the configuration of the page is checked when it is made`() throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "genesys-loop-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            _ = try SimulatorCertificates.folder(folder.path)
            func path(_ name: String) -> String { folder.appending(path: name).path }
            Printed.begin()
            let configuration = try companyConfiguration(
                caFile: path("ca.pem"), certificate: path("server.pem"), key: path("server-key.pem"))
            #expect(Printed.end() == ["1 trusted certificate in \(path("ca.pem"))"])
            guard case .url(let proxy) = configuration.proxy else { return #expect(Bool(false), "no proxy") }
            #expect(proxy.hasCredentials && "\(proxy)" == "http://proxy.example:3128")
            #expect(throws: ChannelFailure.self) {
                try companyConfiguration(caFile: path("none"), certificate: path("server.pem"), key: path("server.pem"))
            }
        }
    }
}
