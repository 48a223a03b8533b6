import Foundation
import Testing

/// A `listen` process with `--metrics-listen`.
struct MetricsListener {
    let child: Child
    let port: UInt16

    /// Starts the tool and waits for its address.
    ///
    /// - Parameters:
    ///   - arguments: those of `listen` and its channel, without `--events`.
    ///   - descriptorLimit: how many descriptors the process may have; nil for the system's limit.
    init(_ arguments: [String], host: String = "127.0.0.1", descriptorLimit: Int? = nil) async throws {
        let all = arguments + ["--events", "--metrics-listen", "\(host):0"]
        if let descriptorLimit {
            child = try Child(
                URL(filePath: "/bin/sh"),
                ["-c", "ulimit -n \(descriptorLimit); exec \"$0\" \"$@\"", Tool.executable.path] + all)
        } else {
            child = try Child.tool(all)
        }
        while let line = await child.errors.nextLine() {
            guard let match = line.firstMatch(of: /Metrics: http:\/\/[^"]*:(\d+)\/metrics"/) else { continue }
            port = try #require(UInt16(match.1))
            return
        }
        throw Unstarted(errors: await child.end().errors)
    }

    /// The tool ended without an address.
    struct Unstarted: Error {
        let errors: String
    }

    /// Waits for an event.
    func event(_ name: String) async throws {
        while let line = await child.errors.nextLine() { if line.contains(#""event":"\#(name)""#) { return } }
        Issue.record("the listener ended without the event \(name)")
    }

    func get(_ path: String) -> HTTPSocket.Answer? { HTTPSocket.get(path, port: port) }

    func connect(receiveByteCount: Int32? = nil) throws -> HTTPSocket {
        try HTTPSocket(port, receiveByteCount: receiveByteCount)
    }

    /// Asks the tool to end; returns its end.
    func stop() async -> Child.End {
        child.signal(SIGTERM)
        return await child.end()
    }

    /// The numbers of the simulator's notifications, in the order of the output.
    static func sequences(_ end: Child.End) throws -> [Int] {
        try end.outputText.split(separator: "\n").map { line in
            try #require(Int(line.firstMatch(of: /"sequence":(\d+)/)?.1 ?? ""), "\(line)")
        }
    }

    /// Checks that the output has every notification once, in order, and that the channel was never lost.
    static func expectWhole(_ end: Child.End) throws {
        #expect(end.status == 0, "\(end.errors)")
        let numbers = try sequences(end)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 })
        let names = try Tool.events(end.errors).compactMap { $0["event"] as? String }
        #expect(names == ["log", "subscribed", "closed"], "\(end.errors)")
    }
}
