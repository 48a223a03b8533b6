// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation

// The names are those of genesys_loop.h, which documents them.
public import CGenesysLoop
internal import GenesysLoop

// The functions of genesys_loop.h for channels. The header documents them; see also genesys_loop.swift.

@c @implementation
public func genesys_channel_new(
    _ loop: OpaquePointer?, _ uri: UnsafePointer<CChar>?, _ topics: UnsafePointer<UnsafePointer<CChar>?>?,
    _ topic_count: Int, _ callbacks: UnsafePointer<genesys_channel_callbacks>?,
    _ config: UnsafePointer<genesys_channel_config>?, _ error: UnsafeMutablePointer<genesys_error>?
) -> OpaquePointer? {
    unsafe CallError.report(to: error) {
        guard let loop = unsafe LoopHandle.of(loop) else { throw CallError.argument("the loop is NULL") }
        guard let uri = unsafe CStrings.copy(uri) else { throw CallError.argument("the URI is NULL") }
        guard let callbacks = unsafe callbacks else { throw CallError.argument("the callbacks are NULL") }
        let topics = unsafe try copied(topics, topic_count)
        let zero = unsafe genesys_channel_callbacks()
        let known = unsafe try SizedStruct.copy(callbacks, zero: zero, "genesys_channel_callbacks")
        let handle = unsafe ChannelHandle(known)
        let configuration = unsafe try ChannelConfiguration(config)
        try handle.make(uri: uri, topics: topics, on: loop.loop, configuration)
        return unsafe handle.retainedPointer
    }
}

/// Copies the topics of a C program.
private func copied(_ topics: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int) throws -> [Topic] {
    guard count >= 0, count <= 100_000 else { throw CallError.argument("\(count) is no number of topics") }
    guard let names = unsafe CStrings.copy(topics, count: count) else {
        throw CallError.argument("a topic is NULL or not UTF-8")
    }
    return names.map { Topic($0) }
}

@c @implementation
public func genesys_channel_open(_ channel: OpaquePointer?) {
    unsafe ChannelHandle.of(channel, for: "genesys_channel_open")?.open()
}

@c @implementation
public func genesys_channel_close(_ channel: OpaquePointer?) {
    unsafe ChannelHandle.of(channel, for: "genesys_channel_close")?.close()
}

@c @implementation
public func genesys_channel_pause(_ channel: OpaquePointer?) {
    unsafe ChannelHandle.of(channel, for: "genesys_channel_pause")?.channel?.pause()
}

@c @implementation
public func genesys_channel_resume(_ channel: OpaquePointer?) {
    unsafe ChannelHandle.of(channel, for: "genesys_channel_resume")?.channel?.resume()
}

@c @implementation
public func genesys_channel_rollover(_ channel: OpaquePointer?, _ uri: UnsafePointer<CChar>?) {
    guard let channel = unsafe ChannelHandle.of(channel, for: "genesys_channel_rollover")?.channel else { return }
    do throws(ChannelFailure) {
        try channel.rollover(to: unsafe CStrings.copy(uri) ?? "")
    } catch {
        channel.reportFailedRollover(error)
    }
}

@c @implementation
public func genesys_channel_subscribe(
    _ channel: OpaquePointer?, _ topics: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ error: UnsafeMutablePointer<genesys_error>?
) -> genesys_status {
    unsafe changeTopics("genesys_channel_subscribe", channel, topics, count, error) { try $0.subscribe($1) }
}

@c @implementation
public func genesys_channel_unsubscribe(
    _ channel: OpaquePointer?, _ topics: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ error: UnsafeMutablePointer<genesys_error>?
) -> genesys_status {
    unsafe changeTopics("genesys_channel_unsubscribe", channel, topics, count, error) { $0.unsubscribe($1) }
}

@c @implementation
public func genesys_channel_set_topics(
    _ channel: OpaquePointer?, _ topics: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ error: UnsafeMutablePointer<genesys_error>?
) -> genesys_status {
    unsafe changeTopics("genesys_channel_set_topics", channel, topics, count, error) { try $0.setTopics($1) }
}

private func changeTopics(
    _ call: StaticString, _ pointer: OpaquePointer?, _ topics: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int,
    _ error: UnsafeMutablePointer<genesys_error>?, _ change: (NotificationChannel, [Topic]) throws -> Void
) -> genesys_status {
    unsafe CallError.status(error) {
        guard let channel = unsafe ChannelHandle.of(pointer, for: call)?.channel else {
            throw CallError.argument("the channel is NULL")
        }
        try change(channel, unsafe copied(topics, count))
    }
}

@c @implementation
public func genesys_channel_get_state(_ channel: OpaquePointer?) -> genesys_channel_state {
    unsafe ChannelHandle.of(channel, for: "genesys_channel_get_state")?.channel.map { genesys_channel_state($0.state) }
        ?? GENESYS_CHANNEL_IDLE
}

@c @implementation
public func genesys_channel_get_statistics(
    _ channel: OpaquePointer?, _ statistics: UnsafeMutablePointer<genesys_channel_statistics>?,
    _ error: UnsafeMutablePointer<genesys_error>?
) -> genesys_status {
    unsafe CallError.status(error) {
        guard let channel = unsafe ChannelHandle.of(channel, for: "genesys_channel_get_statistics")?.channel,
            let statistics = unsafe statistics
        else {
            throw CallError.argument("the channel or the statistics are NULL")
        }
        let counts = channel.statistics
        let value = genesys_channel_statistics(
            struct_size: 0, received_count: UInt64(counts.receivedCount),
            discarded_count: UInt64(counts.discardedCount), received_byte_count: UInt64(counts.receivedByteCount),
            reconnect_count: UInt64(counts.reconnectCount), rollover_count: UInt64(counts.rolloverCount),
            extension_count: UInt64(counts.extensionCount), gap_count: UInt64(counts.gapCount),
            merged_repeats: UInt64(counts.mergedRepeats), connection_count: UInt64(counts.connectionCount),
            queued_byte_count: UInt64(counts.queuedByteCount))
        unsafe try SizedStruct.fill(statistics, with: value, "genesys_channel_statistics")
    }
}

@c @implementation
public func genesys_channel_release(_ channel: OpaquePointer?) {
    guard let channel = unsafe channel else { return }
    // The reference that genesys_channel_new made.
    unsafe Unmanaged<ChannelHandle>.fromOpaque(UnsafeRawPointer(channel)).release()
}
