import Foundation
import GenesysLoop
import GenesysSimulator
import Testing

/// `relay` with a file and with standard output, run as a program.
@Suite(.timeLimit(.minutes(patience(2)))) struct RelayFileTests {
    @Test func `every notification is in the file, in order, and SIGTERM ends with 0 when all is stored`() async throws
    {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let child = try service.relay(to: "file:\(file.path)")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<2_000)
            await RelayStream.wait(for: 1, in: file)
            service.publish(2_000..<2_100)
            await RelayStream.wait(for: 2_100, in: file)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.output == [])
            #expect(
                try end.plot.sorted() == ["closed", "drained", "engineConnected", "leading", "subscribed"])
            #expect(Array(try end.plot.prefix(3)) == ["engineConnected", "leading", "subscribed"])
            let connected = try #require(try Tool.events(end.errors).first)
            #expect(connected["version"] as? String == "file")
            #expect(connected["durability"] as? String == "system")
            #expect(connected["lastStored"] == nil)
            let stream = try RelayStream(file)
            #expect(stream.types == ["epoch"] + Array(repeating: "notification", count: 2_100))
            #expect(stream.numbers == Array(0..<2_100))
            #expect(stream.isWhole)
            #expect(Set(stream.records.map(\.source)) == ["genesys/test"])
            #expect(Set(stream.records.map(\.topic)) == ["", "v2.a"])
        }
    }

    @Test func `the next start begins an epoch with a gap record for the time between, and names what was stored`()
        async throws
    {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            for _ in 0..<2 {
                let child = try service.relay(to: "file:\(file.path)")
                #expect(await child.event(with: "\"subscribed\"") != nil)
                child.signal(SIGTERM)
                let end = await child.end()
                #expect(end.status == 0, "\(end.errors)")
            }
            let stream = try RelayStream(file)
            #expect(stream.types == ["epoch", "epoch", "gap"])
            #expect(stream.records[1].epoch > stream.records[0].epoch)
            #expect(stream.records[2].data["reason"] as? String == "startup")
            #expect(stream.records[2].data["topics"] as? String == "all")
        }
    }

    @Test func `what the channel misses is a gap record and an event`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let child = try service.relay(to: "file:\(file.path)")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.disconnect()
            #expect(await child.event(with: "\"gap\"") != nil)
            service.publish(7..<8)
            await RelayStream.wait(for: 1, in: file)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            let stream = try RelayStream(file)
            #expect(stream.types == ["epoch", "gap", "notification"])
            #expect(stream.records[1].data["reason"] as? String == "connectionClosed")
        }
    }

    @Test func `a Close soon after the confirmation does not end the relay`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let child = try service.relay(to: "file:\(file.path)")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.server.execute { $0.disconnect(.all, .close(code: 1_000)) }
            #expect(await child.event(with: "\"recovered\"") != nil)
            service.publish(7..<8)
            await RelayStream.wait(for: 1, in: file)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
        }
    }

    @Test func `a second relay of a file ends with 75, and a check says that it is held`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let child = try service.relay(to: "file:\(file.path)")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            let second = await (try service.relay(to: "file:\(file.path)")).end()
            #expect(second.status == 75, "\(second.errors)")
            #expect(second.errors.contains("Another relay writes this file"), "\(second.errors)")
            let check = await (try service.relay(to: "file:\(file.path)", ["--check"])).end()
            #expect(check.status == 0, "\(check.errors)")
            #expect(check.outputText.contains("lease: held by another relay"), "\(check.outputText)")
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
            #expect(try RelayStream(file).types == ["epoch"])
        }
    }

    @Test func `after SIGHUP a file that cannot be opened is still written, and a warning says why`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let (old, letters) = (folder.appending(path: "stream.1"), folder.appending(path: "letters"))
            let child = try service.relay(to: "file:\(file.path)", ["--dead-letter", letters.path])
            #expect(await child.event(with: "\"subscribed\"") != nil)
            try FileManager.default.moveItem(at: file, to: old)
            for place in [file, letters] {
                try? FileManager.default.removeItem(at: place)
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            }
            child.signal(SIGHUP)
            for place in [file, letters] {
                let line = try #require(await child.event(with: "still written to"))
                #expect(line.contains("Cannot open \(place.path): ") && line.contains("\"warning\""), "\(line)")
            }
            service.publish(0..<10)
            await RelayStream.wait(for: 10, in: old)
            child.signal(SIGTERM)
            #expect(await child.end().status == 0)
        }
    }

    @Test func `a file that no relay wrote ends with 64, and stays as it is`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            try Data("precious".utf8).write(to: file)
            let end = await (try service.relay(to: "file:\(file.path)")).end()
            #expect(end.status == 64, "\(end.errors)")
            #expect(end.errors.contains("is no file of a relay"), "\(end.errors)")
            #expect(try String(contentsOf: file, encoding: .utf8) == "precious")
        }
    }

    @Test func `SIGHUP opens the file again, and each record is whole in one of them`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let old = folder.appending(path: "stream.1")
            let child = try service.relay(to: "file:\(file.path)")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<10)
            await RelayStream.wait(for: 10, in: file)
            try FileManager.default.moveItem(at: file, to: old)
            child.signal(SIGHUP)
            #expect(await child.event(with: "opened again") != nil)
            service.publish(10..<20)
            await RelayStream.wait(for: 10, in: file)
            child.signal(SIGUSR1)
            let statistics = try #require(await child.event(with: "\"statistics\""))
            #expect(statistics.contains("\"relay\":{\"receivedCount\":20,\"storedCount\":21,"))
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(try RelayStream(old).numbers + RelayStream(file).numbers == Array(0..<20))
        }
    }

    @Test func `standard output gets the records, and a closed pipe ends with 75 and the number that is left`()
        async throws
    {
        try await OwnService.with(rate: 200) { service, _ in
            let child = try Child(
                URL(filePath: "/bin/sh"),
                [
                    "-c",
                    #"""
                    exec 3>&1
                    { "$0" relay --uri "$1" --topic v2.users.1.presence --to - --name t; echo $? >&3; } |
                        head -n 2 >/dev/null
                    """#,
                    Tool.executable.path, service.uri,
                ])
            let end = await child.end()
            #expect(end.outputText == "75\n", "\(end.errors)")
            #expect(end.errors.contains("not delivered"), "\(end.errors)")
        }
    }

    @Test func `records on standard output are those of a file`() async throws {
        try await OwnService.with { service, _ in
            let child = try service.relay(to: "-")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<3)
            for _ in 0..<4 { #expect(await child.output?.nextLine() != nil) }
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            let stream = try RelayStream(end.outputText)
            #expect(stream.types == ["epoch", "notification", "notification", "notification"])
            #expect(stream.isWhole)
        }
    }

    @Test func `a full device ends with 74`() async throws {
        try await OwnService.with { service, _ in
            let end = await (try service.relay(to: "file:/dev/full")).end()
            #expect(end.status == 74, "\(end.errors)")
            #expect(end.errors.contains("no space left on device"))
        }
    }

    #if os(Linux)
    @Test(.enabled(if: OwnNetwork.isPossible, OwnNetwork.missing))
    func `on a full disk records wait, and the file ends with a whole line`() async throws {
        try await OwnService.with(rate: 5_000) { service, folder in
            // The namespace of the shell is the only one that has the small disk.
            let script = #"""
                mkdir "$1/disk" && mount -t tmpfs -o size=40k none "$1/disk" || exit 70
                "$0" relay --uri "$2" --topic v2.users.1.presence --to "file:$1/disk/stream" --name t --events \
                    --queue-bytes 100000 --overflow drop-oldest 2>"$1/errors" &
                tool=$!
                while kill -0 $tool && ! grep -q overflow "$1/errors"; do :; done 2>/dev/null
                kill -TERM $tool; wait $tool; status=$?; cat "$1/errors" >&2; cat "$1/disk/stream"; exit $status
                """#
            let child = try Child(
                URL(filePath: "/usr/bin/unshare"),
                ["-rm", "sh", "-c", script, Tool.executable.path, folder.path, service.uri])
            let end = await child.end()
            if end.status == 70 || end.errors.hasPrefix("unshare:") { return print("SKIPPED: no tmpfs: \(end.errors)") }
            #expect(end.status == 75, "\(end.errors)")
            #expect(end.errors.contains("not delivered"), "\(end.errors)")
            #expect(end.outputText.hasSuffix("}\n"))
            #expect(try RelayStream(end.outputText).isWhole)
        }
    }
    #endif

    @Test func `a failed channel ends the relay with its own status, and everything is stored`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "stream")
            let child = try service.relay(to: "file:\(file.path)")
            #expect(await child.event(with: "\"subscribed\"") != nil)
            service.publish(0..<100)
            service.server.execute { $0.revokeToken() }
            let end = await child.end()
            #expect(end.status == 77, "\(end.errors)")
            #expect(try end.plot.contains("failed"))
            #expect(try end.plot.contains("drained"))
            #expect(try RelayStream(file).numbers == Array(0..<100))
        }
    }

    @Test func `a channel that cannot be opened in time ends with 69`() async throws {
        let held = try HeldPort(listens: true)
        let folder = FileManager.default.temporaryDirectory.appending(path: "relay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let end = try await Tool.run([
            "relay", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--events", "--name", "t", "--to",
            "file:\(folder.path)/stream", "--first-connection-limit", "0.3",
        ])
        #expect(end.status == 69, "\(end.errors)")
        #expect(try RelayStream(folder.appending(path: "stream")).types == ["epoch"])
    }

    @Test func `metrics are those of channel and relay, and it is ready when it is subscribed`() async throws {
        try await OwnService.with { service, folder in
            let relay = try await MetricsListener([
                "relay", "--uri", service.uri, "--topic", "v2.a", "--name", "t", "--to",
                "file:\(folder.path)/stream",
            ])
            try await relay.event("subscribed")
            #expect(relay.get("/readyz")?.status == 200)
            let text = try #require(relay.get("/metrics")?.body)
            for name in ["genesys_relay_stored_total 1", "genesys_relay_leader 1", "genesys_loop_channel_state"] {
                #expect(text.contains(name), "\(text)")
            }
            #expect(await relay.stop().status == 0)
        }
    }

    @Test func `a check says what is there, opens no channel and writes nothing`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "stream")
        let arguments = ["relay", "--uri", "ws://h.invalid/", "--to", "file:\(file.path)", "--name", "t", "--check"]
        let empty = try await Tool.run(arguments)
        #expect(empty.status == 0, "\(empty.errors)")
        #expect(empty.outputText.contains("last stored: nothing\n"))
        #expect(!FileManager.default.fileExists(atPath: file.path))
        let line = #"{"id":"7.00000000000000000009","type":"genesys.alive"}"# + "\n"
        try Data((line + "torn").utf8).write(to: file)
        let filled = try await Tool.run(arguments)
        #expect(filled.status == 0)
        #expect(filled.outputText.contains("last stored: 7.00000000000000000009\n"))
        #expect(try String(contentsOf: file, encoding: .utf8) == line + "torn")
    }

    @Test(arguments: [
        ["--name", "a b", "--to", "-"], ["--name", "", "--to", "-"], ["--name", "t", "--to", "nats://h"],
        ["--name", "t", "--to", "file:"], ["--name", "t", "--to", "file:/nowhere/x"], ["--name", "t"],
        ["--to", "-"], ["--name", "t", "--to", "-", "--stream", "a{b}"],
        ["--name", "t", "--to", "-", "--queue-bytes", "0"], ["--name", "t", "--to", "-", "--overflow", "spill"],
        ["--name", "t", "--to", "-", "--engine-key", "/dev/null"], ["--name", "t", "--to", "-", "--linger", "-1"],
        ["--name", "t", "--to", "-", "--dead-letter", "/nowhere/x"],
        ["--name", "t", "--to", "-", "--password-file", "/nowhere/x"],
        ["--name", "t", "--to", "redis://u:hunter2@h:99999"],
    ])
    func `wrong usage ends with 64 and a sentence without a secret`(arguments: [String]) async throws {
        let end = try await Tool.run(["relay", "--uri", "ws://h.invalid/", "--topic", "v2.a"] + arguments)
        #expect(end.status == 64, "\(end.errors)")
        #expect(end.errors.contains("relay --help"))
        #expect(!end.errors.contains("hunter2"))
    }

    @Test func `without a topic it ends with 64`() async throws {
        let end = try await Tool.run(["relay", "--uri", "ws://h.invalid/", "--to", "-", "--name", "t"])
        #expect(end.status == 64)
        #expect(end.errors.contains("No topic"))
    }
}
