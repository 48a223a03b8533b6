import Foundation
import Testing

/// `simulate` and `demo`, run as programs.
@Suite struct SimulateTests {
    @Test func `a listener gets exactly as many lines as it asked for`() async throws {
        try await Simulator.with("--rate", "1000") { simulator in
            let end = try await simulator.listen("--count", "250")
            #expect(end.status == 0)
            let lines = end.output.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(lines.count == 251 && lines.last?.isEmpty == true)
            for line in lines.dropLast() {
                let value = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                #expect((value?["topicName"] as? String)?.hasPrefix("v2.users.") == true)
            }
        }
    }

    @Test(arguments: [1, 2])
    func `the folder of the certificates is private and goes with the process`(signalCount: Int) async throws {
        try await Slots.taken {
            let simulator = try await Simulator([])
            let file = URL(filePath: simulator.announcement.caFile)
            let folder = file.deletingLastPathComponent()
            let mode = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            #expect(try String(contentsOf: file, encoding: .utf8).hasPrefix("-----BEGIN CERTIFICATE-----"))
            for _ in 0..<signalCount { simulator.child.signal(SIGINT) }
            let end = await simulator.child.end()
            #expect(end.status == 0 || (signalCount == 2 && end.status == 130))
            #expect(end.errors == "")
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }

    @Test func `certificates of a folder are made once and used again`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        var authorities: Set<String> = []
        for _ in 0..<2 {
            try await Simulator.with("--certificates", folder.path) { simulator in
                #expect(simulator.announcement.caFile.hasPrefix("/"))
                authorities.insert(try String(contentsOfFile: simulator.announcement.caFile, encoding: .utf8))
                let end = try await simulator.listen("--count", "1")
                #expect(end.status == 0)
            }
        }
        #expect(authorities.count == 1)
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("0.0.0.0", "localhost"),
        ("::", "localhost"),
    ])
    func `the URI holds the address to listen on, which the certificate names`(address: String, host: String)
        async throws
    {
        try await Simulator.with("--host", address, "--rate", "200") { simulator in
            #expect(simulator.announcement.uri.hasPrefix("wss://\(host):"))
            let end = try await simulator.listen("--count", "1", "--reconnect", "never")
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    @Test func `a simulator on all addresses is found by any of them, and by the name of the machine`() async throws {
        var name = [CChar](repeating: 0, count: 256)
        // The array is valid during the call, which writes no further than its end.
        try #require(unsafe gethostname(&name, 255) == 0)
        let machine = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try await Simulator.with("--host", "0.0.0.0", "--rate", "200") { simulator in
            // Some machines cannot resolve their own name.
            for host in ["127.0.0.1", machine] {
                var arguments = simulator.listening("--count", "1", "--reconnect", "never")
                arguments[2] = arguments[2].replacing("localhost", with: host)
                let end = await (try Child.tool(arguments)).end()
                #expect(end.status == 0 || end.errors.contains("could not be resolved"), "\(end.errors)")
            }
        }
    }

    @Test func `an address that is none of the machine's ends with 69, and what is no address with 64`() async throws {
        for (address, status) in [
            ("192.0.2.1", 69 as Int32), ("localhost", 64), ("1.2.3", 64), ("[::1]", 64),
        ] {
            let end = try await Tool.run(["simulate", "--host", address], mayLeak: true)
            #expect(end.status == status, "\(end.errors)")
            #expect(end.output == [])
            #expect(end.errors.contains(address), "\(end.errors)")
        }
    }

    @Test func `a port in use ends with 69 and names the port`() async throws {
        let held = try HeldPort(listens: true)
        let end = try await Tool.run(["simulate", "--port", "\(held.port)"])
        #expect(end.status == 69)
        #expect(end.output == [])
        #expect(end.errors.contains("Port \(held.port)"))
    }

    @Test func `the demonstration shows both events and at least twenty notifications`() async throws {
        let end = try await Tool.run(["demo"])
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output.count { $0 == 0x0A } >= 20)
        let topics = Set(
            try end.output.split(separator: 0x0A).compactMap {
                (try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])?["topicName"] as? String
            })
        #expect(topics.count >= 6)
        let subjects = end.errors.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst(2).first }
        for subject in ["subscribed", "maintenance", "rollover", "extension", "closed"] {
            #expect(subjects.contains(Substring(subject)), "\(end.errors)")
        }
        #expect(subjects.last == "summary")
        #expect(end.errors.contains("none lost, none repeated"))
    }

    @Test func `the demonstration ends after both events and the notifications asked for`() async throws {
        let end = try await Tool.run(["demo", "--count", "100"])
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output.count { $0 == 0x0A } >= 100)
        #expect(end.errors.contains("  rollover  ") && end.errors.contains("  extension  "))
    }
}
