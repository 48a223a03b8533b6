/// Offers to compress messages with permessage-deflate (RFC 7692).
///
/// The server may decline, and then nothing is compressed. Worth it where bandwidth is scarce: it takes time
/// for each message, and per connection up to 40 KiB of memory for receiving, and 256 KiB for sending once something is
/// sent.
public struct Compression: Hashable, Sendable {
    /// Asks the server to begin each message anew: no memory for receiving is kept between messages, and they compress
    /// less. A server that does not agree is not accepted. Default false.
    public var serverNoContextTakeover = false

    /// Begins each of our messages anew: no memory for sending is kept between messages. Default false.
    public var clientNoContextTakeover = false

    /// The largest window of the server's messages, as the exponent of a power of two; from 8 to 15, values beyond are
    /// taken as the nearest. A server that does not agree to less than 15 is not accepted. Default 15: 32 KiB.
    public var serverMaxWindowBits: Int {
        get { wanted.serverMaxWindowBits }
        set { wanted.serverMaxWindowBits = Self.nearest(newValue) }
    }

    /// The largest window of our messages, as the exponent of a power of two; from 8 to 15, values beyond are taken as
    /// the nearest. The server may ask for less. Default 15: 32 KiB.
    public var clientMaxWindowBits: Int {
        get { wanted.clientMaxWindowBits }
        set { wanted.clientMaxWindowBits = Self.nearest(newValue) }
    }

    /// Messages of fewer bytes are sent as they are. Default 64.
    public var minimumMessageSize = 64

    private var wanted = DeflateParameters()

    /// The defaults.
    public init() {}

    /// The defaults.
    public static var permessageDeflate: Compression { Compression() }

    private static func nearest(_ bits: Int) -> Int {
        min(max(bits, 8), DeflateParameters.maxWindowBits)
    }

    /// What is asked for in the upgrade request.
    package var offer: DeflateOffer {
        var wanted = wanted
        wanted.serverNoContextTakeover = serverNoContextTakeover
        wanted.clientNoContextTakeover = clientNoContextTakeover
        return DeflateOffer(wanted)
    }
}
