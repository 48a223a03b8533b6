import Foundation
import GenesysLoop
import GenesysPlatform

/// What `Scripts/bench calls` measures from outside.
struct Measurement {
    private let base: String
    private let tls: TLSConfiguration

    init(base: String, caFile: String) {
        self.base = base
        tls = TLSConfiguration(trust: .file(caFile))
    }

    /// Lists the channels, one call after the other, over a kept connection.
    ///
    /// - Returns: the number of channels in the last list.
    func list(_ count: Int) throws -> Int {
        let loop = try UVLoop()
        return try list(count, by: try platform(on: loop))
    }

    /// Has a loop and TLS, and with `isOpen` also a platform with a kept connection, until standard input ends.
    func idle(isOpen: Bool) throws {
        let loop = try UVLoop()
        let tls = self.tls
        let context = try loop.shared(tls) { () throws(TLSError) in try TLSContext(client: tls) }
        let platform = isOpen ? try platform(on: loop) : nil
        if let platform { _ = try list(1, by: platform) }
        print("READY")
        fflush(nil)
        withExtendedLifetime((context, platform)) { _ = readLine() }
    }

    private func platform(on loop: UVLoop) throws -> Platform {
        var configuration = PlatformConfiguration()
        configuration.tls = tls
        return try Platform(
            region: PlatformRegion(loginBase: base, apiBase: base), credentials: .tokens { $0.provide("token") },
            on: loop, configuration: configuration)
    }

    private func list(_ count: Int, by platform: Platform) throws -> Int {
        var result: Result<RESTValue, RESTFailure>?
        var rest = count
        func next() {
            rest -= 1
            _ = platform.call(.listChannels, limit: nil) { answer in
                result = answer
                if case .success = answer, rest > 0 { next() }
            }
        }
        next()
        platform.loop.run()
        guard rest == 0, case .channels(let channels)? = try result?.get() else { throw Unanswered() }
        return channels.count
    }

    private struct Unanswered: Error {}
}
