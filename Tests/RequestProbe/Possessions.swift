import Foundation
import GenesysLoop

/// What the process has open.
struct Possessions {
    let descriptorCount: Int
    let threadCount: Int

    init() {
        // In this order: a thread that ends in between has closed its descriptors.
        threadCount = Possessions.count("/proc/self/task")
        descriptorCount = Possessions.count("/proc/self/fd")
    }

    /// Waits, for 20 s at most, until threads that have nothing left to do are gone.
    init(on loop: UVLoop, until isFinal: (Int) -> Bool) {
        var now = Possessions()
        for _ in 0..<20_000 where !isFinal(now.threadCount) {
            loop.schedule(after: .milliseconds(1)) {}
            loop.run()
            now = Possessions()
        }
        self = now
    }

    private static func count(_ folder: String) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? -1
    }

    /// Whether a connection to a port of this machine is under way.
    static func isConnecting(to port: UInt16) -> Bool {
        var table: [UInt8] = []
        let file = FileHandle(forReadingAtPath: "/proc/self/net/tcp")
        // One read does not return all of such a file.
        while let part = try? file?.read(upToCount: 65_536), !part.isEmpty { table += part }
        let end = ":" + String(format: "%04X", Int(port))
        return String(decoding: table, as: UTF8.self).split(separator: "\n").contains { line in
            let columns = line.split(separator: " ")
            // State 2 is SYN_SENT.
            return columns.count > 3 && columns[2].hasSuffix(end) && columns[3] == "02"
        }
    }
}
