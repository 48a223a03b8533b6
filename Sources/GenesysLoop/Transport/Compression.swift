/// Offers to compress messages with permessage-deflate (RFC 7692).
///
/// The server may decline; then messages are not compressed. Compression is worth its cost where bandwidth is scarce:
/// it takes time for each message, and for each connection up to 40 KiB of memory to receive, and 256 KiB to send from
/// the first sent message on.
public struct Compression: Hashable, Sendable {
    /// Asks the server to compress each message on its own: no memory to receive is kept between messages, and they
    /// compress less. The connection fails if the server does not agree. Default false.
    public var serverNoContextTakeover = false

    /// Compresses each sent message on its own: no memory to send is kept between messages. Default false.
    public var clientNoContextTakeover = false

    /// The largest window of the server's messages, as the exponent of a power of two, clamped to 8...15. The
    /// connection fails if the server does not agree to a value below 15. Default 15: 32 KiB.
    public var serverMaxWindowBits: Int {
        get { wanted.serverMaxWindowBits }
        set { wanted.serverMaxWindowBits = Self.nearest(newValue) }
    }

    /// The largest window of sent messages, as the exponent of a power of two, clamped to 8...15. The server may ask
    /// for less. Default 15: 32 KiB.
    public var clientMaxWindowBits: Int {
        get { wanted.clientMaxWindowBits }
        set { wanted.clientMaxWindowBits = Self.nearest(newValue) }
    }

    /// Messages of fewer bytes are sent uncompressed. Default 64.
    public var minimumMessageSize = 64

    private var wanted = DeflateParameters()

    /// The defaults.
    public init() {}

    /// The defaults.
    public static var permessageDeflate: Compression { Compression() }

    private static func nearest(_ bits: Int) -> Int {
        min(max(bits, 8), DeflateParameters.maxWindowBits)
    }

    /// The offer in the upgrade request.
    package var offer: DeflateOffer {
        var wanted = wanted
        wanted.serverNoContextTakeover = serverNoContextTakeover
        wanted.clientNoContextTakeover = clientNoContextTakeover
        return DeflateOffer(wanted)
    }
}
