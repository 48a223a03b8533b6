/// Processes the given number of reads of notifications; `Scripts/bench instructions` counts the executed instructions.
///
///     receive-count BYTES READS
///
/// Each read holds 16 notifications of BYTES bytes. It is the pure part of the receive path of `NotificationChannel`:
/// frame, UTF-8, envelope, and whether it is a plain notification of a live channel. Without Foundation, whose start
/// differs between runs.
@main
enum ReceiveCount {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard arguments.count == 2, arguments[0] >= 200, arguments[1] > 0 else {
            print("usage: receive-count BYTES READS")
            return
        }
        let messages = (0..<Receiver.messageCount).map { notification(number: $0, byteCount: arguments[0]) }
        var read: [UInt8] = []
        for message in messages {
            FrameEncoder.append(.text, payload: message, maskingKey: nil, to: &read)
        }
        var receiver = Receiver()
        for _ in 0..<arguments[1] { receiver.receive(read) }
        print("delivered \(receiver.deliveredCount) of \(arguments[1] * Receiver.messageCount)")
    }

    /// A notification of queue observations, of exactly this many bytes of ASCII.
    private static func notification(number: Int, byteCount: Int) -> [UInt8] {
        let queue = "2f1c0f0e-0000-4000-8000-0000000001\(10 + number)"
        let head =
            #"{"topicName":"v2.analytics.queues.\#(queue).observations","version":"2","eventBody":{"#
            + #""group":{"queueId":"\#(queue)","mediaType":"voice"},"data":["#
        let tail = #"{"metric":"end","text":""#
        let end = #""}]},"metadata":{"CorrelationId":"\#(queue)"}}"#
        var text = head
        var value = 7 * number
        while true {
            value += 13
            let next = #"{"metric":"oWaiting","stats":{"count":\#(value).0,"ratio":-0.\#(value)e2}},"#
            guard text.utf8.count + next.utf8.count + tail.utf8.count + end.utf8.count <= byteCount else { break }
            text += next
        }
        let padding = byteCount - text.utf8.count - tail.utf8.count - end.utf8.count
        return [UInt8]((text + tail + String(repeating: "x", count: max(0, padding)) + end).utf8)
    }
}
