internal import GenesysLoop
internal import Logging

/// Writes a token cache on another thread: a disk may keep the loop waiting.
final class TokenCacheWriter {
    private let cache: TokenCache
    private let loop: UVLoop
    private let logger: Logger
    /// Until everything is written.
    private var thread: LoopThread?
    private var pendingCount = 0
    /// Keeps the loop running, so that a program that ends at once has kept its token.
    private var patience: LoopTimer?

    /// How long a write keeps the loop running.
    static let patience: Duration = .seconds(2)

    init(_ cache: TokenCache, on loop: UVLoop, logger: Logger) {
        self.cache = cache
        self.loop = loop
        self.logger = logger
    }

    func write(_ token: SecretBytes, end: WallTime?) {
        do throws(UVLoopError) {
            if thread == nil { thread = try LoopThread(name: "token-cache") }
        } catch {
            return logger.warning("the token is not kept: \(error)")
        }
        pendingCount += 1
        patience?.cancel()
        patience = loop.schedule(after: TokenCacheWriter.patience) {}
        let writer = LoopBound(self, on: loop)
        let cache = cache
        thread?.execute {
            let failure = cache.written(token, end: end)
            writer.execute { $0.wrote(failure) }
        }
    }

    private func wrote(_ failure: ChannelFailure?) {
        if let failure { logger.warning("the token is not kept: \(failure)") }
        pendingCount -= 1
        guard pendingCount == 0 else { return }
        patience?.cancel()
        patience = nil
        thread = nil
    }
}

extension TokenCache {
    fileprivate func written(_ token: SecretBytes, end: WallTime?) -> ChannelFailure? {
        do throws(ChannelFailure) {
            try write(token, end: end)
            return nil
        } catch {
            return error
        }
    }
}
