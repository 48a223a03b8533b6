/// What an owner pulls messages from: the input of a link, and the reader that turns it into messages.
///
/// The owner has it for the length of a pull (`Link.withStream`): whatever it does meanwhile, nothing else touches it, and
/// nothing has to be looked up in an object for each message.
package struct LinkStream: ~Copyable {
    var input: LinkInput
    var reader: MessageReader
    /// Where the input comes from; nil without TLS.
    let tls: TLSSession?
    /// Nothing more may be pulled for now: paused, or over.
    var isStopped = false

    init(reader: consuming MessageReader, input: consuming LinkInput = LinkInput(), tls: TLSSession? = nil) {
        self.reader = reader
        self.input = input
        self.tls = tls
    }

    /// The payload of the message that `nextEvent` just named; valid until the next call of it.
    @_lifetime(borrow self)
    package func payload(_ range: Range<Int>) -> Span<UInt8> {
        input.span.extracting(range)
    }

    /// Moves the message out that `nextEvent` just named.
    package mutating func takeMessage() -> [UInt8] {
        reader.takeMessage()
    }

    /// Gives its storage back.
    package mutating func recycle(_ message: consuming [UInt8]) {
        reader.recycle(consume message)
    }

    /// The payload of the Pong frame that `nextEvent` just named.
    package var pongPayload: [UInt8] { reader.controlPayload }

    /// The next event in the input; moves the input's offset.
    @inline(__always)
    mutating func decode() throws(WebSocketViolation) -> MessageReader.Event {
        var offset = input.offset
        defer { input.offset = offset }
        return try LinkStream.next(of: &reader, in: input, at: &offset)
    }

    @inline(__always)
    private static func next(
        of reader: inout MessageReader, in input: borrowing LinkInput, at offset: inout Int
    ) throws(WebSocketViolation) -> MessageReader.Event {
        try reader.next(in: input.span, at: &offset)
    }
}
