import GenesysLoop
import GenesysMetrics

/// Runs a channel whose statistics go to the metrics back end of the program.
func runWithMetrics(_ channel: NotificationChannel, on loop: UVLoop) {
    let channelMetrics = ChannelMetrics(channel, every: .seconds(10), labels: [("team", "support")])
    let loopMetrics = LoopMetrics(loop)
    channel.open()
    loop.run()
    channelMetrics.stop()
    loopMetrics.stop()
}
