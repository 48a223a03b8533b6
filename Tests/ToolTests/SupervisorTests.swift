import Foundation
import Testing
import ToolSupport

@testable import genesys_loop

/// What the tool reads from a service manager's environment, and how it sends to it.
@Suite(.timeLimit(.minutes(patience(1)))) struct SupervisorTests {
    private func request(_ socket: String?, _ watchdog: String?, of process: String?) -> Supervisor.Request {
        Supervisor.Request(process: 17, socket: socket, watchdog: watchdog, watchdogProcess: process)
    }

    @Test func `a watchdog is obeyed if it is meant for this process, or for nobody in particular`() {
        #expect(request("/run/s", "30000000", of: nil).watchdog == .seconds(30))
        #expect(request("/run/s", "1000", of: "17").watchdog == .milliseconds(1))
        #expect(request("/run/s", "30000000", of: "18").watchdog == nil)
        for nonsense in ["0", "-1", "30s", "99999999999999999999"] {
            #expect(request("/run/s", nonsense, of: nil) == request("/run/s", nil, of: nil))
        }
    }

    @Test(arguments: [
        ("run/notify", EAFNOSUPPORT), ("@", EAFNOSUPPORT), ("/", EAFNOSUPPORT), ("vsock:2:1234", EAFNOSUPPORT),
        ("/" + String(repeating: "a", count: 107), ENAMETOOLONG),
        ("@" + String(repeating: "a", count: 108), ENAMETOOLONG),
    ])
    func `a name that is no socket's is an error`(name: String, code: Int32) {
        #expect(throws: SystemCalls.Failure(name, code: code)) { _ = try NotifySocket(to: name) }
    }

    @Test func `a message arrives as one datagram`() throws {
        for isAbstract in [false, true] {
            let manager = try ServiceManager(isAbstract: isAbstract)
            let socket = try NotifySocket(to: manager.name)
            #expect(socket.send("READY=1\nSTATUS=ok") == .sent)
            #expect(manager.next() == ["READY=1", "STATUS=ok"])
        }
    }

    @Test func `a manager that does not read is reported, and one that is gone too`() throws {
        var manager: ServiceManager? = try ServiceManager(isAbstract: false)
        let name = try #require(manager?.name)
        let socket = try NotifySocket(to: name)
        var outcome = NotifySocket.Outcome.sent
        for _ in 0..<100_000 where outcome == .sent { outcome = socket.send("WATCHDOG=1") }
        #expect(outcome == .full)
        manager = nil
        #expect(socket.send("WATCHDOG=1") == .failed(SystemCalls.Failure(name, code: ENOENT)))
    }
}

/// The tool as a service of systemd's kind `notify`.
@Suite(.timeLimit(.minutes(patience(2)))) struct NotifyTests {
    private static let extensions = "EXTEND_TIMEOUT_USEC=30000000"

    @Test(arguments: [false, true])
    func `a service manager is told the state, that the loop turns, a reload and the end`(isAbstract: Bool)
        async throws
    {
        try await OwnService.with { service, folder in
            let manager = try ServiceManager(isAbstract: isAbstract)
            let child = try service.listen(
                ["--output", folder.appending(path: "lines").path],
                variables: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"])
            let start = await manager.messages(to: "READY=1")
            #expect(start.first == ["STATUS=connecting", "WATCHDOG=1", Self.extensions])
            #expect(start.dropLast().allSatisfy { $0.contains(Self.extensions) })
            #expect(start.last == ["READY=1", "STATUS=subscribed to 1 topic", "WATCHDOG=1"])
            for _ in 0..<2 { #expect(await manager.messages(to: "WATCHDOG=1") == [["WATCHDOG=1"]]) }
            child.signal(SIGHUP)
            let reload = await manager.messages(to: "RELOADING=1")
            #expect(reload.dropLast().allSatisfy { $0 == ["WATCHDOG=1"] })
            let time = try #require(reload.last?.first { $0.hasPrefix("MONOTONIC_USEC=") }?.split(separator: "=").last)
            #expect(
                (try #require(Int64(time)) - Int64(ProcessInfo.processInfo.systemUptime * 1_000_000)).magnitude
                    < 60_000_000)
            #expect(await manager.messages(to: "READY=1").last?.contains("STATUS=subscribed to 1 topic") == true)
            service.disconnect()
            let loss = await manager.messages(to: "STATUS=recovering: Attempt 1 starts in ")
            #expect(loss.last?.contains { $0.hasPrefix("READY=1") } == true)
            _ = await manager.messages(to: "STATUS=subscribed to 1 topic")
            child.signal(SIGTERM)
            #expect(await manager.messages(to: "STOPPING=1").last?.contains("STATUS=closing") == true)
            #expect(await child.end().status == 0)
            #expect(await manager.messages(to: "STATUS=closed").last?.first == "STOPPING=1")
        }
    }

    @Test func `a failure is the last state`() async throws {
        try await Slots.taken {
            let manager = try ServiceManager(isAbstract: false)
            let held = try HeldPort()
            let child = try Child.tool(
                ["listen", "--uri", "ws://127.0.0.1:\(held.port)/", "--topic", "v2.a", "--reconnect", "never"],
                variables: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"])
            #expect(await child.end().status == 69)
            let messages = await manager.messages(to: "STOPPING=1")
            #expect(messages.last?.last?.contains("connection refused") == true, "\(messages)")
            // The watchdog is meant for another process.
            #expect(!messages.joined().contains("WATCHDOG=1"))
            #expect(!messages.joined().contains("READY=1"))
        }
    }

    @Test(arguments: ["full", "gone", "vsock:2:1", "/nonexistent/notify"])
    func `a service manager that cannot be told holds up nothing`(kind: String) async throws {
        try await OwnService.with { service, _ in
            let manager = try ServiceManager(isAbstract: false)
            if kind == "full" {
                let socket = try NotifySocket(to: manager.name)
                while socket.send("x") == .sent {}
            }
            let name = kind == "full" || kind == "gone" ? manager.name : kind
            if kind == "gone" { try FileManager.default.removeItem(atPath: manager.name) }
            let child = try service.listen(
                ["--count", "1", "--log-level", "debug"], variables: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "20000"])
            #expect(await child.event(with: #""subscribed""#) != nil)
            service.publish(0..<1)
            let start = ContinuousClock.now
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.instant - start < .seconds(4))
            #expect(end.errors.components(separatedBy: "The service manager").count == 2, "\(end.errors)")
        }
    }

    @Test func `a service manager that begins to read late is told the state of then`() async throws {
        try await OwnService.with { service, _ in
            let manager = try ServiceManager(isAbstract: false)
            let socket = try NotifySocket(to: manager.name)
            while socket.send("x") == .sent {}
            let child = try service.listen(["--count", "1"], variables: ["NOTIFY_SOCKET": manager.name])
            #expect(await child.event(with: #""subscribed""#) != nil)
            let messages = await manager.messages(to: "READY=1")
            #expect(messages.first == ["x"])
            #expect(messages.last == ["READY=1", "STATUS=subscribed to 1 topic"])
            service.publish(0..<1)
            #expect(await child.end().status == 0)
        }
    }
}
