import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct SimulatorCertificatesTests {
    /// Runs `body` with the path of a folder that does not exist, and removes it afterwards.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("genesys-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        try body(root.path)
    }

    private func mode(_ path: String) throws -> Int? {
        (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
    }

    @Test func `a missing folder is made, and used again`() throws {
        try withFolder { root in
            let path = root + "/a/b/"
            let made = try SimulatorCertificates.folder(path)
            #expect(try mode(root) == 0o700)
            #expect(try mode(path) == 0o700)
            #expect(try mode(path + "server-key.pem") == 0o600)
            #expect(made.caFile == path + "ca.pem")
            #expect(FileManager.default.contents(atPath: path + "ca.pem") == Data(made.caCertificatePEM))
            #expect(try SimulatorCertificates.folder(path) == made)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 3)
        }
    }

    @Test func `no text of the certificates holds the key`() throws {
        let made = try SimulatorCertificates.inMemory()
        var dumped = ""
        dump(made, to: &dumped)
        // As numbers: a PEM text begins with hyphens.
        for text in ["\(made)", String(reflecting: made), dumped] {
            #expect(text.contains("caFile") && !text.contains("45, 45") && !text.contains(": 45"), "\(text.prefix(80))")
        }
        #expect("\(SimulatedService.Refusal.notFound)" == "HTTP status 404: The channel was not found.")
    }

    @Test func `certificates of a folder are trusted by a client that reads the file`() throws {
        try withFolder { path in
            let loop = try UVLoop()
            let server = try SimulatorServer(
                on: loop, certificates: try .folder(path), configuration: SimulatedService.Configuration(), seed: 1)
            server.start()
            var configuration = ChannelConfiguration()
            configuration.tls.trust = .file(path + "/ca.pem")
            configuration.reconnect = .never
            let host = Host()
            host.didSubscribe = { channel in channel.close() }
            host.didClose = { server.close() }
            host.didFail = { server.close() }
            let channel = try NotificationChannel(
                uri: try server.createChannel().uri, topics: [stageTopic], on: loop, delegate: host,
                configuration: configuration)
            channel.open()
            loop.run()
            host.forget()
            #expect(host.isClosed)
        }
    }

    @Test func `a certificate names localhost, the machine and the address that it is made for`() throws {
        var name = [CChar](repeating: 0, count: 256)
        // The array is valid during the call, which writes no further than its end.
        try #require(unsafe gethostname(&name, 255) == 0)
        let machine = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try withFolder { path in
            for made in [try SimulatorCertificates.inMemory(host: "192.0.2.7"), try .folder(path, host: "192.0.2.7")] {
                for host in ["localhost", "127.0.0.1", "::1", "192.0.2.7", machine] {
                    #expect(made.isValid(for: host), "\(host)")
                }
                #expect(!made.isValid(for: "192.0.2.8") && !made.isValid(for: "elsewhere.test"))
            }
        }
        let made = try SimulatorCertificates.inMemory(host: "fe80::1%eth0")
        for host in ["fe80::1", "fe80::1%eth0", "fe80::1%eth1"] { #expect(made.isValid(for: host)) }
    }

    @Test func `some of the files are an error, and are left alone`() throws {
        try withFolder { path in
            _ = try SimulatorCertificates.folder(path)
            try FileManager.default.removeItem(atPath: path + "/server.pem")
            let error = #expect(throws: SimulatorError.self) { _ = try SimulatorCertificates.folder(path) }
            #expect(error?.kind == .certificates)
            #expect(error?.description.contains("holds server-key.pem and ca.pem only") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 2)
        }
    }

    @Test func `a file in place of the folder, and files that are no PEM, are errors that name them`() throws {
        try withFolder { path in
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let file = path + "/file"
            #expect(FileManager.default.createFile(atPath: file, contents: Data()))
            let error = #expect(throws: SimulatorError.self) { _ = try SimulatorCertificates.folder(file) }
            #expect(error?.description.contains(file) == true)
            for name in ["ca.pem", "server.pem", "server-key.pem"] {
                #expect(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data("no PEM".utf8)))
            }
            let other = #expect(throws: SimulatorError.self) { _ = try SimulatorCertificates.folder(path) }
            #expect(other?.description.contains("The certificates in \(path) cannot be used") == true)
        }
    }

    @Test(arguments: ["", "a\0b"])
    func `a path that is none is an error`(path: String) {
        #expect(throws: SimulatorError.self) { _ = try SimulatorCertificates.folder(path) }
    }
}
