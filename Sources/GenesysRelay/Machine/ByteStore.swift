import GenesysLoop

/// The bytes of queued notifications, in segments: nothing is allocated per notification.
///
/// A segment is given back when the last of its notifications is released. One drained segment is kept for the next.
struct ByteStore: Equatable, Sendable {
    /// The place of a notification's bytes: its topic, its correlation id and its message, one after the other.
    struct Place: Equatable, Sendable {
        let segment: UInt64
        let offset: UInt32
        let topicCount: UInt32
        let correlationCount: UInt32
        let dataCount: UInt32

        var byteCount: Int { Int(topicCount) + Int(correlationCount) + Int(dataCount) }
    }

    private struct Segment: Equatable, Sendable {
        var bytes: [UInt8]
        var liveCount = 0
    }

    static let segmentSize = 64 << 10

    private var segments = Ring<Segment>()
    /// The number of the first segment.
    private var base: UInt64 = 0
    private var spare: [UInt8] = []

    /// Copies a notification.
    mutating func add(topic: Span<UInt8>, correlation: Span<UInt8>, data: Span<UInt8>) -> Place {
        let size = topic.count + correlation.count + data.count
        if segments.isEmpty || segments[segments.count - 1].bytes.count + size > ByteStore.segmentSize {
            segments.append(Segment(bytes: spare))
            spare = []
        }
        let index = segments.count - 1
        let offset = segments.update(index) { segment in
            let offset = segment.bytes.count
            Bytes.append(topic, 0..<topic.count, to: &segment.bytes)
            Bytes.append(correlation, 0..<correlation.count, to: &segment.bytes)
            Bytes.append(data, 0..<data.count, to: &segment.bytes)
            segment.liveCount += 1
            return offset
        }
        return Place(
            segment: base + UInt64(index), offset: UInt32(offset), topicCount: UInt32(topic.count),
            correlationCount: UInt32(correlation.count), dataCount: UInt32(data.count))
    }

    /// The bytes of `place` are not needed anymore.
    mutating func release(_ place: Place) {
        let index = Int(place.segment - base)
        let isDrained = segments.update(index) { segment in
            segment.liveCount -= 1
            return segment.liveCount == 0
        }
        guard isDrained else { return }
        var bytes = segments.update(index) { segment in
            defer { segment.bytes = [] }
            return segment.bytes
        }
        if spare.capacity == 0, bytes.capacity <= 2 * ByteStore.segmentSize {
            bytes.removeAll(keepingCapacity: true)
            spare = bytes
        }
        while segments.first?.liveCount == 0 {
            segments.popFirst()
            base += 1
        }
    }

    /// Appends the bytes of `place` to `output`.
    func append(_ place: Place, to output: inout [UInt8]) {
        let segment = segments[Int(place.segment - base)]
        let start = Int(place.offset)
        Bytes.append(segment.bytes.span, start..<start + place.byteCount, to: &output)
    }
}
