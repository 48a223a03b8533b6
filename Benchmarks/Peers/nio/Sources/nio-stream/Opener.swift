import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// Opens the connections, 64 at a time: each confirmation starts another. Used on one event loop alone.
final class Opener {
    private let options: Options
    private let context: NIOSSLContext
    private let loop: any EventLoop
    private let failed: (any Error) -> Void
    private var openedCount = 0
    private var confirmedCount = 0

    init(options: Options, loop: any EventLoop, failed: @escaping (any Error) -> Void) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(options.ca)
        context = try NIOSSLContext(configuration: configuration)
        self.options = options
        self.loop = loop
        self.failed = failed
    }

    /// Opens one more; the future comes when it is closed.
    func open() -> EventLoopFuture<Void> {
        openedCount += 1
        let opener = NIOLoopBound(self, eventLoop: loop)
        return ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try opener.value.configure(channel) }
            }
            .connect(host: options.host, port: options.port)
            .flatMap { $0.closeFuture }
    }

    private func configure(_ channel: any Channel) throws {
        // A host that is an address is verified as one, without a name for SNI.
        let isAddress = options.host.allSatisfy { $0.isNumber || $0 == "." }
        let tls = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : options.host)
        try channel.pipeline.syncOperations.addHandler(tls)
        let opener = NIOLoopBound(self, eventLoop: loop)
        let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(maxFrameSize: 1 << 26) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(opener.value.makeHandler())
                return channel
            }
        }
        let headers = HTTPHeaders([("Host", "\(options.host):\(options.port)")])
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: options.path, headers: headers)
        let configuration = NIOTypedHTTPClientUpgradeConfiguration<any Channel>(
            upgradeRequestHead: head, upgraders: [upgrader],
            notUpgradingCompletionHandler: {
                $0.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
            })
        try channel.pipeline.syncOperations
            .configureUpgradableHTTPClientPipeline(configuration: .init(upgradeConfiguration: configuration))
            .flatMap { $0.writeAndFlush(FrameHandler.subscription()) }
            .whenFailure { opener.value.failed($0) }
    }

    private func makeHandler() -> FrameHandler {
        FrameHandler(options: options) { [self] in
            confirmedCount += 1
            if openedCount < options.idle {
                let opener = NIOLoopBound(self, eventLoop: loop)
                open().whenFailure { opener.value.failed($0) }
            }
            if confirmedCount == options.idle { say("READY") }
        }
    }
}
