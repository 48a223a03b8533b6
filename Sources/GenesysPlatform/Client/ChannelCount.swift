/// How many of the service's channels an OAuth client has, of 20.
///
/// The service removes another channel without a word when a 21st is made: an idle one first, then the oldest.
public struct ChannelCount: Hashable, Sendable {
    /// Those of this program's tokens.
    public var ours: Int
    /// Those of the OAuth client, of whatever program; nil if the service does not say.
    public var all: Int?

    /// The most channels that an OAuth client can have.
    public static let maximum = 20

    /// Creates a count.
    public init(ours: Int, all: Int? = nil) {
        self.ours = ours
        self.all = all
    }
}

extension ChannelCount: CustomStringConvertible {
    /// Both numbers.
    public var description: String {
        "\(ours) of ours" + (all.map { ", \($0) of \(ChannelCount.maximum) of the OAuth client" } ?? "")
    }
}
