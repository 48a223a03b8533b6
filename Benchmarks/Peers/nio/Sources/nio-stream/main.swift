// A client with SwiftNIO and NIOSSL: a handler that is called for each frame, one event loop.
import FoundationEssentials
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Prints without waiting for a buffer to fill.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

@Sendable func fail(_ error: any Error) {
    FileHandleOutput.error("nio-stream: \(error)\n")
    exit(69)
}

enum FileHandleOutput {
    static func error(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    }
}

let options = Options(Array(CommandLine.arguments.dropFirst()))
if options.idle > 0 { signal(SIGTERM) { _ in _exit(0) } }
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let loop = group.next()
do {
    let ended = loop.flatSubmit {
        do {
            let opener = try Opener(options: options, loop: loop, failed: fail)
            let opened = (0..<max(1, min(64, options.idle))).map { _ in opener.open() }
            return EventLoopFuture.andAllSucceed(opened, on: loop)
        } catch {
            return loop.makeFailedFuture(error)
        }
    }
    try ended.wait()
} catch {
    fail(error)
}
