import CUV
import CoreMetrics
import GenesysLoop
import GenesysSimulator
import MetricsTestKit
import Testing

@testable import GenesysMetrics

@Suite(.timeLimit(.minutes(5))) struct SamplerTests {
    /// Closes a channel after some notifications, and then its service.
    final class Host: NotificationChannelDelegate {
        let server: SimulatorServer
        let limit: Int
        var count = 0

        init(_ server: SimulatorServer, limit: Int) {
            self.server = server
            self.limit = limit
        }

        func channel(_ channel: NotificationChannel, didReceive notification: ChannelNotification) {
            count += 1
            if count == limit { channel.close() }
        }
        func channel(_ channel: NotificationChannel, didMiss gap: Gap) {}
        func channel(_ channel: NotificationChannel, willExpire expiry: Expiry) {}
        func channel(_ channel: NotificationChannel, didFail failure: ChannelFailure) { server.close {} }
        func channelDidClose(_ channel: NotificationChannel) { server.close {} }
    }

    struct Stage {
        let loop: UVLoop
        let host: Host
        let channel: NotificationChannel
        let metrics = TestMetrics()

        init(on loop: UVLoop, limit: Int = 100) throws {
            self.loop = loop
            var service = SimulatedService.Configuration()
            service.publishing.rate = 1_000
            let server = try SimulatorServer(on: loop, configuration: service, seed: 1)
            server.start()
            host = Host(server, limit: limit)
            var configuration = ChannelConfiguration()
            configuration.tls.trust = .pem(server.caCertificatePEM)
            channel = try NotificationChannel(
                uri: server.createChannel().uri, topics: ["v2.users.ID?presence"], on: loop, delegate: host,
                configuration: configuration)
        }

        func total(_ name: String, _ labels: [(String, String)] = []) throws -> Int64 {
            try metrics.expectCounter(name, labels).totalValue
        }
    }

    @Test func `counters grow by what was counted, whatever the number of samples`() throws {
        let stage = try Stage(on: UVLoop(), limit: 300)
        let sampler = ChannelMetrics(
            stage.channel, every: .milliseconds(100), labels: [("team", "a")], factory: stage.metrics)
        stage.channel.open()
        stage.loop.run()
        let end = stage.channel.statistics
        #expect(try stage.total("genesys_loop_notifications_total", [("team", "a")]) == Int64(end.receivedCount))
        #expect(try stage.total("genesys_loop_message_bytes_total", [("team", "a")]) == Int64(end.receivedByteCount))
        #expect(
            try stage.total("genesys_loop_losses_total", [("team", "a"), ("reason", "heartbeatLost")]) == 0)
        let state = try stage.metrics.expectMeter(
            "genesys_loop_channel_state", [("team", "a"), ("state", "ended")])
        #expect(state.lastValue == 1)
        sampler.stop()
        #expect(try stage.total("genesys_loop_notifications_total", [("team", "a")]) == Int64(end.receivedCount))
    }

    @Test func `the end of run() takes a sample, long before the interval is over`() throws {
        let stage = try Stage(on: UVLoop())
        let sampler = ChannelMetrics(stage.channel, every: .seconds(3_600), factory: stage.metrics)
        let loopSampler = LoopMetrics(stage.loop, every: .seconds(3_600), factory: stage.metrics)
        stage.channel.open()
        stage.loop.run()
        #expect(try stage.total("genesys_loop_notifications_total") == 100)
        #expect(try stage.total("genesys_loop_wakeups_total") > 0)
        sampler.stop()
        loopSampler.stop()
    }

    @Test func `dropping a sampler ends it, and stopping it again does nothing`() throws {
        let stage = try Stage(on: UVLoop())
        var sampler: ChannelMetrics? = ChannelMetrics(stage.channel, factory: stage.metrics)
        #expect("\(stage.loop)".contains("timer"))
        sampler = nil
        sampler = ChannelMetrics(stage.channel, factory: stage.metrics)
        sampler?.stop()
        sampler?.stop()
        sampler = nil
        stage.channel.open()
        stage.loop.run()
        #expect(stage.loop.description == "UVLoop(nothing open)")
        #expect(try stage.total("genesys_loop_notifications_total") == 0)
    }

    @Test func `a host detaches from a loop whose metrics it did not stop`() throws {
        let raw = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
        // Closed at the end.
        defer { unsafe raw.deallocate() }
        #expect(unsafe uv_loop_init(raw) == 0)
        let stage = try Stage(on: unsafe UVLoop(adopting: raw))
        let samplers = (
            ChannelMetrics(stage.channel, factory: stage.metrics), LoopMetrics(stage.loop, factory: stage.metrics)
        )
        stage.channel.open()
        var isDetached = false
        stage.loop.detach { isDetached = true }
        #expect(unsafe uv_run(raw, UV_RUN_DEFAULT) == 0)
        #expect(isDetached)
        #expect(try stage.total("genesys_loop_notifications_total") == 100)
        #expect(unsafe uv_loop_close(raw) == 0)
        withExtendedLifetime(samplers) {}
    }

    @Test func `a loop's thread ends with a sampler that was not stopped`() throws {
        let metrics = TestMetrics()
        let thread = try LoopThread()
        let sampler = try thread.submit {
            LoopBound(LoopMetrics(thread.loop, factory: metrics), on: thread.loop)
        }
        thread.shutdown()
        #expect(try metrics.expectCounter("genesys_loop_wakeups_total", []).totalValue > 0)
        withExtendedLifetime(sampler) {}
    }
}

@Suite struct InstrumentsTests {
    struct Source {
        var count = 0
        var time = Duration.zero
        var age: Duration?
        var trips = DurationHistogram()
    }

    static let table: [Metric<Source>] = [
        .counter("things_total", "Things.") { .count($0.count) },
        .counter("busy_seconds_total", "Time.") { .duration($0.time) },
        .gauge("age_seconds", "Age.") { Reading($0.age) },
        .histogram("trip_seconds", "Trips.") { $0.trips },
    ]

    let metrics = TestMetrics()

    @Test func `counters get increments, also those in seconds`() throws {
        var instruments = Instruments(Self.table, dimensions: [], factory: metrics)
        instruments.emit(Source(count: 2, time: .milliseconds(250)))
        instruments.emit(Source(count: 2, time: .milliseconds(250)))
        instruments.emit(Source(count: 5, time: .milliseconds(1_750)))
        let counter = try metrics.expectCounter("things_total", [])
        #expect(counter.values == [2, 3])
        // A floating-point counter of a factory without one rounds to whole increments and keeps the rest.
        #expect(try metrics.expectCounter("busy_seconds_total", []).totalValue == 1)
    }

    @Test func `a value that is not known leaves its meter alone`() throws {
        var instruments = Instruments(Self.table, dimensions: [], factory: metrics)
        instruments.emit(Source())
        #expect(throws: (any Error).self) { try metrics.expectMeter("age_seconds", []) }
        instruments.emit(Source(age: .milliseconds(1_500)))
        instruments.emit(Source())
        #expect(try metrics.expectMeter("age_seconds", []).values == [1.5])
    }

    @Test func `a timer gets the mean of new observations in one range, else the middles of their ranges`() throws {
        var instruments = Instruments(Self.table, dimensions: [], factory: metrics)
        var source = Source()
        source.trips.record(.milliseconds(30))
        source.trips.record(.milliseconds(40))
        instruments.emit(source)
        instruments.emit(source)
        let timer = try metrics.expectTimer("trip_seconds", [])
        #expect(timer.values == [35_000_000, 35_000_000])
        source.trips.record(.microseconds(100))
        source.trips.record(.seconds(20))
        instruments.emit(source)
        #expect(timer.values.suffix(2) == [500_000, 10_000_000_000])
    }

    @Test func `a timer gets a limited number of observations at once`() throws {
        var instruments = Instruments(Self.table, dimensions: [], factory: metrics)
        var source = Source()
        for _ in 0..<1_500 { source.trips.record(.milliseconds(30)) }
        instruments.emit(source)
        let timer = try metrics.expectTimer("trip_seconds", [])
        #expect(timer.values.count == Instruments<Source>.maxRecordCount)
    }
}
