/// The pure part of a live channel: the decoder of its link, and its machine.
struct Receiver {
    static let messageCount = 16

    private(set) var deliveredCount = 0
    private var decoder = MessageDecoder(role: .client)
    private var machine: ChannelMachine
    private let link: LinkID
    private let now = ClockReading(instant: Instant(nanoseconds: 0), wall: WallTime(seconds: 0))

    init() {
        machine = ChannelMachine(topics: ["v2.users.ID.presence"], settings: ChannelSettings(), seed: 1)
        guard case .connect(let link, _)? = machine.openRequested(now: now).first,
            case .send(_, .subscribe(_, let id))? = machine.linkOpened(link, now: now).first
        else { preconditionFailure("a channel that opens connects and subscribes") }
        self.link = link
        let reply = CommandReply(correlationID: id, status: 200, statusText: "subscribed")
        _ = machine.replyReceived(reply, on: link, now: now)
        precondition(machine.deliversDirectly(on: link), "the channel is live")
    }

    /// Processes the bytes of one read.
    @inline(never)
    mutating func receive(_ read: [UInt8]) {
        let input = read.span
        var offset = 0
        machine.bytesReceived(on: link, now: now)
        let isDirect = machine.deliversDirectly(on: link)
        while let event = try? decoder.next(in: input, at: &offset) {
            switch event {
            case .needMore: return
            case .message(.text, let range): take(input.extracting(range), isDirect)
            default: preconditionFailure("there are whole text messages, and nothing else")
            }
        }
    }

    @inline(__always)
    private mutating func take(_ message: Span<UInt8>, _ isDirect: Bool) {
        do throws(EnvelopeError) {
            let envelope = try EnvelopeScanner.scan(message)
            guard isDirect, MessageClass.isPlainNotification(envelope, in: message) else { return }
            deliveredCount &+= 1
        } catch {
            preconditionFailure("what was made is JSON: \(error)")
        }
    }
}
