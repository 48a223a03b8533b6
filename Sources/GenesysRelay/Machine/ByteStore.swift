import GenesysLoop

/// The bytes of queued notifications, in segments: nothing is allocated per small notification.
///
/// A segment is given back when the last of its notifications is released. A segment is begun when a notification does
/// not fit into the one before: on average they are at least half full. Emptier are those of which notifications were
/// dropped between two that were sent; the window of what is sent limits their number, and segments are small.
struct ByteStore: Equatable, Sendable {
    /// The place of a notification's bytes: its topic, its correlation id and its message, one after the other.
    struct Place: Equatable, Sendable {
        fileprivate let segment: UInt32
        fileprivate let offset: UInt32
        let topicCount: UInt32
        let correlationCount: UInt32
        let dataCount: UInt32

        var byteCount: Int { Int(topicCount) + Int(correlationCount) + Int(dataCount) }
    }

    private struct Segment: Equatable, Sendable {
        var bytes: [UInt8] = []
        var liveCount = 0
    }

    /// A larger notification has a segment of its own.
    static let segmentSize = 4 << 10
    /// The most drained segments that are kept.
    private static let spareLimit = 16

    private var segments: [Segment] = []
    /// The segments without a notification.
    private var free: [UInt32] = []
    /// The segment that is being filled.
    private var last: UInt32?
    /// The storage of drained segments, for the next ones.
    private var spares: [[UInt8]] = []

    /// The memory that is allocated.
    var allocatedSize: Int {
        let bookkeeping = segments.capacity * MemoryLayout<Segment>.stride + free.capacity * MemoryLayout<UInt32>.stride
        return (segments.map(\.bytes) + spares).reduce(bookkeeping) { $0 + $1.capacity }
    }

    /// Copies a notification.
    mutating func add(topic: Span<UInt8>, correlation: Span<UInt8>, data: Span<UInt8>) -> Place {
        let number = segment(for: topic.count + correlation.count + data.count)
        let index = Int(number)
        let offset = segments[index].bytes.count
        Bytes.append(topic, 0..<topic.count, to: &segments[index].bytes)
        Bytes.append(correlation, 0..<correlation.count, to: &segments[index].bytes)
        Bytes.append(data, 0..<data.count, to: &segments[index].bytes)
        segments[index].liveCount += 1
        return Place(
            segment: number, offset: UInt32(offset), topicCount: UInt32(topic.count),
            correlationCount: UInt32(correlation.count), dataCount: UInt32(data.count))
    }

    /// The segment with room for a notification of this size.
    private mutating func segment(for size: Int) -> UInt32 {
        if let last, segments[Int(last)].bytes.count + size <= ByteStore.segmentSize { return last }
        let number: UInt32
        if let found = free.popLast() {
            number = found
        } else {
            number = UInt32(segments.count)
            segments.append(Segment())
        }
        if let bytes = spares.popLast() { segments[Int(number)].bytes = bytes }
        segments[Int(number)].bytes.reserveCapacity(max(size, ByteStore.segmentSize))
        last = number
        return number
    }

    /// The bytes of `place` are not needed anymore.
    mutating func release(_ place: Place) {
        let index = Int(place.segment)
        segments[index].liveCount -= 1
        guard segments[index].liveCount == 0 else { return }
        var bytes: [UInt8] = []
        swap(&bytes, &segments[index].bytes)
        free.append(place.segment)
        if last == place.segment { last = nil }
        guard spares.count < ByteStore.spareLimit, bytes.capacity <= 2 * ByteStore.segmentSize else { return }
        bytes.removeAll(keepingCapacity: true)
        spares.append(bytes)
    }

    /// Appends a part of the bytes of `place` to `output`.
    func append(_ place: Place, _ part: Range<Int>, to output: inout [UInt8]) {
        let bytes = segments[Int(place.segment)].bytes
        let start = Int(place.offset)
        Bytes.append(bytes.span, start + part.lowerBound..<start + part.upperBound, to: &output)
    }
}
