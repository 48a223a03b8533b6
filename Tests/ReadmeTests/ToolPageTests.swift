import Foundation
import GenesysLoop
import Testing

@testable import genesys_loop
@testable import websocket_echo

/// Compares the pages about exit statuses, environment variables and signals with the tool.
@Suite(.serialized, .timeLimit(.minutes(patience(2)))) struct ToolPageTests {
    /// The rows of the tables of a page, each with the text of its cells.
    private static func rows(_ name: String) throws -> [[String]] {
        let page = try #require(Page.named(name), "there is no page \(name)")
        return try page.text.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasPrefix("|-") }
            .map { $0.dropFirst().split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    /// The words of a cell that are marked as code.
    private static func words(_ cell: String) -> [String] {
        cell.matches(of: /`([^`]+)`/).map { String($0.1) }
    }

    // MARK: Exit statuses

    @Test(arguments: [("Sources/genesys-loop", 5), ("Sources/websocket-echo", 4)])
    func `the exit statuses of the page are those of the program`(folder: String, columns: Int) throws {
        // `listen` ends with every one of them.
        var used = Set(ExitStatus.allCases)
        if columns == 4 {
            let sources = try Page.files(folder).map(Page.text).joined()
            used = used.filter { sources.contains(".\($0)") }
        }
        let statuses = used.map { "\($0.rawValue)" }
        // Wrong usage is the parser's: EX_USAGE.
        let expected = Set(statuses).union(["64"])
        let rows = try Self.rows("ExitStatuses.md").filter { $0[0].first?.isNumber == true }
        let split = try #require(rows.dropFirst().firstIndex { $0[0] == "0" })
        let own = columns == 5 ? rows[..<split] : rows[split...]
        #expect(Set(own.map { $0[0] }.filter { $0 != "128 + n" }) == expected)
        #expect(own.contains { $0[0] == "128 + n" } == (columns == 5))
    }

    @Test func `the reasons of an exit status are those of the library's table`() throws {
        let rows = try Self.rows("ExitStatuses.md").prefix { $0[0] != "128 + n" }.filter { $0.count == 4 }
        var listed: [String: Int32] = [:]
        for row in rows {
            for reason in Self.words(row[3]) { listed[reason] = Int32(row[0]) }
        }
        let source = try Page.text("Sources/GenesysLoop/ChannelMachine/FailureReason.swift")
        let reasons = source.matches(of: /rawValue: "(\w+)"/).map { String($0.1) }
        #expect(reasons.count >= 30)
        // This one is only reported by `discarded`, and the channel goes on.
        for reason in Set(reasons).subtracting(["unrecognizedMessage"]) {
            let failure = ChannelFailure(reason: FailureReason(rawValue: reason), phase: .open)
            #expect(listed.removeValue(forKey: reason) == failure.consequence.exitStatus.rawValue, "\(reason)")
        }
        #expect(listed.isEmpty, "no reasons: \(listed)")
    }

    // MARK: Checks of doctor

    @Test func `the checks of the page are those of the tool, in their order`() throws {
        let rows = try Self.rows("Doctor.md").dropFirst()
        #expect(rows.flatMap { Self.words($0[0]) } == Check.Name.allCases.map(\.rawValue))
    }

    // MARK: Environment variables

    @Test func `the environment variables of the page are those that the sources read`() throws {
        let files = Page.files("Sources").filter { $0.hasSuffix(".swift") }
        let texts = try Dictionary(uniqueKeysWithValues: files.map { ($0, try Page.text($0)) })
        // The only two places that ask the system; the second has the names of OpenSSL.
        #expect(
            texts.filter { $0.value.contains("getenv(") }.keys.sorted() == [
                "Sources/GenesysLoop/Loop/Environment.swift", "Sources/GenesysLoop/TLS/SystemTrustLocations.swift",
            ])
        var names: Set = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        for text in texts.values {
            for call in text.matches(of: /Environment\.(?:value|secret)\(of: (?:"(\w+)"|([\w.]+))\)/) {
                if let name = call.1 {
                    names.insert(String(name))
                } else {
                    #expect(call.2 == "variable" || call.2 == "Self.variable" || call.2 == "rawValue")
                }
            }
            for call in text.matches(of: /Secret\.taken\(from: ([\w.]+)\)/) {
                #expect(
                    ["variable.rawValue", "ConnectionOptions.proxyVariable", "RelayOptions.passwordVariable"].contains(
                        call.1))
            }
            if text.contains("takeSecret(of:") { #expect(text.contains("static func taken(from name: String)")) }
        }
        names.formUnion([ClientKey.variable, ConnectionOptions.proxyVariable, RelayOptions.passwordVariable])
        names.formUnion(SourceVariable.allCases.map(\.rawValue))
        let rules = try #require(texts["Sources/GenesysLoop/Transport/ProxyRules.swift"])
        names.formUnion(rules.matches(of: /"(\w+_(?:proxy|PROXY))"/).map { String($0.1) })
        #expect(names.count == 24)
        let rows = try Self.rows("Environment.md").dropFirst()
        #expect(Set(rows.flatMap { Self.words($0[0]) }) == names)
    }

    @Test func `SSL_CERT_FILE replaces the certificates of the system`() async throws {
        let service = try await LocalService.start(tls: true)
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "ca.pem")
            try Data(service.certificate).write(to: file)
            for (path, status) in [(file.path, 0), ("/nonexistent/ca.pem", 77)] {
                let end = try await Command.run(
                    Command.tool, ["listen", "--uri", service.uri, "--topic", "v2.a", "--count", "1"],
                    variables: ["SSL_CERT_FILE": path])
                #expect(end.status == Int32(status), "\(end.errors)")
            }
        }
        await service.close()
    }

    @Test func `a proxy of the environment is used where its row says so`() async throws {
        for (name, scheme, isRead) in [
            ("https_proxy", "wss", true), ("HTTPS_PROXY", "wss", true), ("all_proxy", "wss", true),
            ("ALL_PROXY", "ws", true), ("http_proxy", "ws", true), ("HTTP_PROXY", "ws", false),
        ] {
            let end = try await Command.run(
                Command.tool,
                ["listen", "--uri", "\(scheme)://h.invalid/", "--topic", "v2.a", "--reconnect", "never"],
                variables: [name: "nonsense://"])
            #expect(end.errors.contains(name) == isRead, "\(name): \(end.errors)")
        }
    }

    // MARK: Signals

    @Test func `each signal of the page has the effect and the exit status of its row`() async throws {
        var statuses: [String: [String]] = [:]
        for row in try Self.rows("Signals.md").dropFirst() {
            statuses[row[0]] = row[2].split(separator: ", ").map(String.init)
        }
        #expect(
            statuses.keys.sorted() == [
                "SIGHUP", "SIGINT, SIGTERM", "SIGPIPE, SIGXFSZ", "SIGUSR1", "a second SIGINT, SIGTERM", "any other",
            ])
        for (index, signal) in [SIGINT, SIGTERM].enumerated() {
            #expect(try await Self.status(after: [signal]) == statuses["SIGINT, SIGTERM"]?[0])
            let second = try #require(statuses["a second SIGINT, SIGTERM"])
            #expect(try await Self.status(after: [signal, signal]) == second[index])
        }
        for (signal, row) in [
            (SIGHUP, "SIGHUP"), (SIGUSR1, "SIGUSR1"), (SIGPIPE, "SIGPIPE, SIGXFSZ"), (SIGXFSZ, "SIGPIPE, SIGXFSZ"),
        ] {
            #expect(try await Self.status(after: [signal, SIGTERM]) == statuses[row]?[0])
        }
        #expect(try await Self.status(after: [SIGUSR2]) == statuses["any other"]?[0])
        let source = try Page.text("Sources/ToolSupport/Signals.swift")
        #expect(
            Set(source.matches(of: /\bSIG[A-Z]+[0-9]?/).map { String($0.0) }) == [
                "SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGPIPE", "SIGXFSZ",
            ])
    }

    /// Sends signals to a listener that is subscribed; returns its exit status.
    private static func status(after signals: [Int32]) async throws -> String {
        let service = try await LocalService.start(rate: 0)
        let tool = try Command(
            Command.tool,
            ["listen", "--uri", service.uri, "--topic", "v2.a", "--log-level", "debug"])
        while let line = await tool.errors.next(), !line.contains("subscribed to") {}
        let isStuck = DispatchSemaphore(value: 0)
        // A service that does not answer the Close frame: then the first signal alone does not end the tool.
        if signals.count == 2, signals[0] == signals[1] { service.server.execute { _ in isStuck.wait() } }
        for (index, signal) in signals.enumerated() {
            tool.signal(signal)
            guard index == 0, signals.count == 2, signal == signals[1] else { continue }
            while let line = await tool.errors.next(), !line.contains("interrupted") {}
        }
        let end = await tool.end()
        isStuck.signal()
        await service.close()
        return "\(end.status)"
    }
}
