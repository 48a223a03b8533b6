import Foundation
import GenesysLoop
import Testing
import ToolSupport

@testable import genesys_loop

@Suite struct LineWriterTests {
    private func line(_ text: String) -> String {
        var lines = Array("before\n".utf8)
        NotificationPrinter.append(Array(text.utf8).span, to: &lines)
        return String(decoding: lines.dropFirst(7), as: UTF8.self)
    }

    @Test func `a message is printed as it came`() {
        #expect(line(#"{"a" : "\n é😀" }"#) == #"{"a" : "\n é😀" }"# + "\n")
        #expect(line("") == "\n")
    }

    @Test func `each line break inside of a message becomes one space`() {
        #expect(line("\n{\r\n\t\"a\":\r1\n}\n") == " {  \t\"a\": 1 } \n")
    }

    @Test func `lines come out in order, all of them`() throws {
        let pipe = Pipe()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor)
        try writer.start { _ in }
        let reader = Reader(pipe.fileHandleForReading)
        var expected: [UInt8] = []
        for number in 0..<2_000 {
            var lines = Array(String(repeating: "\(number) ", count: number % 90).utf8) + [0x0A]
            expected += lines
            _ = writer.give(&lines)
            #expect(lines.isEmpty)
        }
        #expect(writer.finish() == .written)
        try pipe.fileHandleForWriting.close()
        #expect(reader.wait() == expected)
    }

    @Test func `a full queue says so, and says when half of it is written`() throws {
        let pipe = Pipe()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor, limit: 1_000_000)
        let drained = DispatchSemaphore(value: 0)
        try writer.start { report in if report == .drained { drained.signal() } }
        var lines = [UInt8](repeating: 0x61, count: 700_000)
        #expect(!writer.give(&lines))
        lines = [UInt8](repeating: 0x62, count: 700_000)
        #expect(writer.give(&lines))
        // Nothing was read yet: the pipe holds only a part, and the owner was not notified.
        #expect(drained.wait(timeout: .now()) == .timedOut)
        let reader = Reader(pipe.fileHandleForReading)
        #expect(drained.wait(timeout: .now() + 30) == .success)
        lines = [0x63]
        #expect(!writer.give(&lines))
        #expect(writer.finish() == .written)
        try pipe.fileHandleForWriting.close()
        #expect(reader.wait().count == 1_400_001)
    }

    @Test func `an error ends it, and what comes later is dropped`() throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let writer = LineWriter(to: full.fileDescriptor)
        let failed = DispatchSemaphore(value: 0)
        try writer.start { report in if report == .failed { failed.signal() } }
        var lines = Array("a\n".utf8)
        _ = writer.give(&lines)
        #expect(failed.wait(timeout: .now() + 30) == .success)
        lines = [UInt8](repeating: 0x61, count: LineWriter.defaultLimit + 1)
        #expect(!writer.give(&lines))
        #expect(writer.finish() == .failed(SystemCalls.Failure("descriptor \(full.fileDescriptor)", code: ENOSPC)))
    }

    @Test func `a descriptor that does not block is waited for and keeps its flags`() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
        let writer = LineWriter(to: descriptor)
        try writer.start { _ in }
        var lines = [UInt8](repeating: 0x61, count: 1_000_000)
        _ = writer.give(&lines)
        let reader = Reader(pipe.fileHandleForReading)
        #expect(writer.finish() == .written)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
        try pipe.fileHandleForWriting.close()
        #expect(reader.wait().count == 1_000_000)
    }

    @Test func `what finds no room is dropped and counted, the last words are not`() throws {
        let pipe = Pipe()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor, limit: 200_000)
        try writer.start { _ in }
        let notice: LineWriter.Notice = { Array("dropped \($0)\n".utf8) }
        for number in 0..<5_000 {
            writer.offer(Array("\(number) \(String(repeating: "x", count: 100))\n".utf8), notice: notice)
        }
        writer.offer(Array("end\n".utf8), mustFit: true, notice: notice)
        let reader = Reader(pipe.fileHandleForReading)
        #expect(writer.finish() == .written)
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: reader.wait(), as: UTF8.self).split(separator: "\n")
        // The number of missing lines is in their place, so every number follows from the previous ones.
        var next = 0
        var dropped = 0
        for line in lines.dropLast() {
            let words = line.split(separator: " ")
            if words.first == "dropped" {
                let count = Int(words[1]) ?? 0
                dropped += count
                next += count
            } else {
                guard words.first == "\(next)" else { return #expect(Bool(false), "\(next): \(line.prefix(20))") }
                next += 1
            }
        }
        #expect(next == 5_000)
        #expect(dropped > 1_000 && dropped < 4_000)
        #expect(lines.last == "end")
    }

    @Test func `a reader that takes nothing is given up, and one that takes something is not`() throws {
        let pipe = Pipe()
        let writer = LineWriter(
            to: pipe.fileHandleForWriting.fileDescriptor, limit: 200_000, patience: .milliseconds(500))
        try writer.start { _ in }
        var lines = [UInt8](repeating: 0x61, count: 150_000)
        _ = writer.give(&lines)
        guard case .abandoned(let count) = writer.finish() else { return #expect(Bool(false), "not given up") }
        #expect(count >= 150_000 - 65_536 && count <= 150_000)
        // The thread ends with the pipe.
        let reader = Reader(pipe.fileHandleForReading)
        #expect(writer.finish() == .written)
        try pipe.fileHandleForWriting.close()
        #expect(reader.wait().count == 150_000)
    }

    @Test func `a writer that has nothing to write did not wait for a reader, however late it is asked`() throws {
        let pipe = Pipe()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor, patience: .zero)
        try writer.start { _ in }
        #expect(writer.finish() == .written)
    }

    /// Reads a pipe to its end on a thread.
    private final class Reader: @unchecked Sendable {
        private var bytes: [UInt8] = []
        private let isDone = DispatchSemaphore(value: 0)

        init(_ handle: FileHandle) {
            Thread.detachNewThread { [self] in
                bytes = Array(handle.readDataToEndOfFile())
                isDone.signal()
            }
        }

        func wait() -> [UInt8] {
            isDone.wait()
            return bytes
        }
    }
}
