import Foundation
import Testing
import ToolSupport

/// `--output`: the notifications go to a file.
@Suite(.timeLimit(.minutes(patience(2)))) struct OutputFileTests {
    // Not by Foundation, which leaks the memory for an empty file.
    private func text(_ file: URL) -> String {
        String(decoding: (try? SystemCalls.read(file.path, maxByteCount: 1 << 24)) ?? [], as: UTF8.self)
    }

    /// The bodies of notifications, which `OwnService.publish` numbers.
    private func numbers(_ text: String) -> [Int] {
        text.split(separator: "\n").compactMap { line in
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return object?["eventBody"] as? Int
        }
    }

    @Test func `under load each line is in one file, however often they are rotated`() async throws {
        try await OwnService.with { service, folder in
            let file = folder.appending(path: "lines")
            let child = try service.listen(["--output", file.path, "--count", "10000"])
            #expect(await child.event(with: "subscribed") != nil)
            for round in 0..<50 {
                service.publish(round * 200..<(round + 1) * 200)
                while text(file).isEmpty { await Task.yield() }
                // The listener writes in the meantime.
                try FileManager.default.moveItem(at: file, to: folder.appending(path: "lines.\(round)"))
                child.signal(SIGHUP)
                if round < 49 { #expect(await child.event(with: "is opened again") != nil) }
            }
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.output == [])
            let files = (0..<50).map { folder.appending(path: "lines.\($0)") } + [file]
            let texts = files.map(text)
            #expect(texts.allSatisfy { $0.hasSuffix("\n") || $0.isEmpty })
            #expect(texts.flatMap(numbers) == Array(0..<10_000))
            #expect(texts.dropLast().allSatisfy { !$0.isEmpty })
        }
    }

    @Test func `a FIFO waits for a reader, which the tool says once, and a signal ends it meanwhile`() async throws {
        try await OwnService.with { service, folder in
            let fifo = folder.appending(path: "fifo").path
            // The path is a C string, valid during the call.
            try #require(unsafe mkfifo(fifo, 0o600) == 0)
            for hasReader in [true, false] {
                let child = try service.listen(["--output", fifo])
                #expect(await child.event(with: "wait for a reader") != nil)
                #expect(await child.event(with: "subscribed") != nil)
                service.publish(0..<3)
                var received = Data()
                if hasReader {
                    let reader = try #require(FileHandle(forReadingAtPath: fifo))
                    while numbers(String(decoding: received, as: UTF8.self)).count < 3 {
                        received += reader.availableData
                    }
                } else {
                    var line = ""
                    while !line.contains("\"receivedCount\":3") {
                        child.signal(SIGUSR1)
                        line = try #require(await child.event(with: "receivedCount"))
                    }
                }
                let start = ContinuousClock.now
                child.signal(SIGTERM)
                let end = await child.end()
                #expect(end.status == 0, "\(end.errors)")
                #expect(end.instant - start < .seconds(4))
                #expect(end.errors.components(separatedBy: "wait for a reader").count == 2)
                #expect(end.errors.contains("were not written") != hasReader)
            }
        }
    }

    @Test func `a full device ends with 74 and the name of the file`() async throws {
        try await OwnService.with { service, _ in
            let child = try service.listen(["--output", "/dev/full"])
            #expect(await child.event(with: "subscribed") != nil)
            service.publish(0..<1)
            let end = await child.end()
            #expect(end.status == 74)
            #expect(end.errors.contains("“/dev/full” cannot be written: no space left on device."), "\(end.errors)")
        }
    }

    #if os(Linux)
    @Test(.enabled(if: OwnNetwork.isPossible, OwnNetwork.missing), arguments: ["--output", ">>"])
    func `on a full disk the file ends with a whole line`(option: String) async throws {
        try await OwnService.with(rate: 20_000) { service, folder in
            // The namespace of the shell is the only one that has the small disk, so the shell copies the file.
            let script = #"""
                mount -t tmpfs -o size=40k none "$1" || exit 75
                echo first > "$1/lines"
                eval '"$0" listen --uri "$2" --topic v2.users.1.presence' "$3" '"$1/lines"'
                status=$?; cat "$1/lines"; exit $status
                """#
            let child = try Child(
                URL(filePath: "/usr/bin/unshare"),
                ["-rm", "sh", "-c", script, Tool.executable.path, folder.path, service.uri, option])
            let end = await child.end()
            if end.status == 75 || end.errors.hasPrefix("unshare:") { return print("SKIPPED: no tmpfs: \(end.errors)") }
            #expect(end.status == 74, "\(end.errors)")
            #expect(end.errors.contains("no space left on device"), "\(end.errors)")
            let text = end.outputText
            #expect(text.hasPrefix("first\n{"))
            #expect(text.hasSuffix("}\n"), "\(text.suffix(100))")
            #expect(text.utf8.count > 30_000)
            for line in text.split(separator: "\n").dropFirst() {
                _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
            }
        }
    }

    @Test func `a file beyond the limit of the process ends with 74 and a whole line`() async throws {
        try await OwnService.with(rate: 20_000) { service, folder in
            let file = folder.appending(path: "lines")
            let script = #"ulimit -f 1; exec "$0" listen --uri "$1" --topic v2.users.1.presence --output "$2""#
            let child = try Child(
                URL(filePath: "/bin/sh"), ["-c", script, Tool.executable.path, service.uri, file.path])
            let end = await child.end()
            #expect(end.status == 74, "\(end.errors)")
            #expect(end.errors.contains("file too large"), "\(end.errors)")
            #expect(text(file).hasSuffix("}\n"))
        }
    }
    #endif
}
