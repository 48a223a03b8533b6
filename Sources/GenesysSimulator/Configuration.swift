public import GenesysLoop

extension SimulatedService {
    /// The behavior of the service.
    ///
    /// Every default is what the real service is known or believed to do.
    ///
    /// `timeScale` divides the durations that are marked as scaled. Delays that test the client are not scaled, since
    /// the client's own deadlines are not.
    public struct Configuration: Hashable, Sendable {
        /// Divides the scaled durations: 60 makes an hour last a minute; 0.001 to 1,000,000, default 1.
        public var timeScale: Double = 1

        /// Channels, REST and upgrade.
        public var channels = Channels()
        /// Heartbeats and pings.
        public var liveness = Liveness()
        /// Answers to commands.
        public var commands = Commands()
        /// How sockets end.
        public var endings = Endings()
        /// Notifications.
        public var publishing = Publishing()
        /// Tokens of the OAuth client.
        public var tokens = Tokens()
        /// Rate limits of the REST side.
        public var rates = Rates()
        /// HTTP of the REST side.
        public var wire = Wire()

        /// The defaults.
        public init() {}
    }
}

extension SimulatedService.Configuration {
    /// Channels, REST and upgrade.
    public struct Channels: Hashable, Sendable {
        /// The life of a channel from its creation or last subscribe, scaled; default 24 h.
        public var life: Duration = .seconds(24 * 3600)
        /// The maximum number of channels of the client's tokens, and of those without a token; default 20.
        public var maxCount = 20
        /// What one more channel does.
        ///
        /// Default `.evict`.
        public var overflow: Overflow = .evict
        /// The maximum number of topics of one channel, where a combined topic counts once; default 1,000.
        public var maxTopicCount = Topic.maxCount
        /// Topics without permission; default none.
        public var forbiddenTopics: Set<Topic> = []
        /// Whether `ignoreErrors=true` rejects topics individually; if not, one topic refuses all; default true.
        public var permitsIgnoringErrors = true
        /// Pads the answer to `availabletopics` with more topics to this many bytes; default none.
        public var minCatalogByteCount = 0
        /// Refuses every creation, for example with 429; default nil.
        public var creationRefusal: SimulatedService.Refusal?
        /// The answer to an upgrade request.
        ///
        /// Default `.honest`.
        public var upgrade: Upgrade = .honest
        /// How long the driver waits before it calls `upgradeRequested`; not scaled; default none.
        public var upgradeDelay: Duration = .zero

        /// What a channel above the maximum number does.
        public enum Overflow: Hashable, Sendable {
            /// It evicts the longest unused channel of those without a socket, or else the longest unused one.
            case evict
            /// It receives heartbeats and no notification.
            case starve
        }

        /// The answer to an upgrade request.
        public enum Upgrade: Hashable, Sendable {
            /// 101 if the channel is live, else 404.
            case honest
            /// This refusal, whether the channel is live or not.
            case refuse(SimulatedService.Refusal)
            /// A TCP reset.
            case reset
            /// No answer.
            case neverAnswer
        }
    }

    /// Heartbeats and pings.
    public struct Liveness: Hashable, Sendable {
        /// The time between heartbeats, and before the first, scaled; default 30 s.
        public var heartbeatInterval: Duration = .seconds(30)
        /// Whether heartbeats are sent; default true.
        public var sendsHeartbeats = true
        /// Whether `{"message":"ping"}` is answered; default true.
        public var answersPings = true
        /// The time before the pong; not scaled; default none.
        public var pongDelay: Duration = .zero
        /// Whether the driver answers ping frames (RFC 6455 §5.5.2); default true.
        public var answersPingFrames = true
    }

    /// Answers to commands.
    public struct Commands: Hashable, Sendable {
        /// The answer to subscribe.
        ///
        /// Default `.honest`.
        public var subscribeReply: SubscribeReply = .honest
        /// Topics that the answer to subscribe, over a socket or by REST, does not name, although they are subscribed.
        ///
        /// Default none.
        public var unnamedTopics: Set<Topic> = []
        /// Whether a subscribe replaces the topics instead of adding to them; default false.
        public var subscribeReplaces = false
        /// Whether unsubscribe is answered; it takes effect in any case; default true.
        public var answersUnsubscribe = true
        /// What happens to text that is not a command.
        ///
        /// Default `.ignore`.
        public var junk: Junk = .ignore

        /// The answer to a subscribe.
        public enum SubscribeReply: Hashable, Sendable {
            /// 200/subscribed at once, or the refusal that applies to the command.
            case honest
            /// As `.honest`, later. The topics apply at once, so notifications may come first.
            case delayed(Duration)
            /// One notification of the new topics, then as `.honest`.
            case afterData
            /// As `.honest`, twice.
            case twice
            /// As `.honest`, but without a reply.
            case unsaid
            /// A refusal: nothing is subscribed, and the channel is not renewed.
            case refuse(result: String, status: String?, message: String?)

            /// 400 with status `failure`.
            public static let failure = refuse(
                result: "400", status: "failure", message: "The subscription was refused.")
            /// 400 with status `error` and the text of a real capture.
            public static let error = refuse(
                result: "400", status: "error", message: "Required data missing from subscribe request.")
            /// 404: the channel is gone.
            public static let notFound = refuse(result: "404", status: nil, message: "Channel not found.")
        }

        /// What happens to text that is not a command.
        public enum Junk: Hashable, Sendable {
            /// Nothing: the service is known to tolerate it.
            case ignore
            /// 400 with status `error`.
            case answer
            /// A Close frame with this code.
            case close(code: UInt16)
        }
    }

    /// How sockets end.
    public struct Endings: Hashable, Sendable {
        /// The time until an older socket of the same channel ends; not scaled; default 0 to 200 ms.
        public var supersededDelay: ClosedRange<Duration> = .zero ... .milliseconds(200)
        /// How an older socket of the same channel ends; default close with 1000.
        public var superseded: Ending = .close(code: 1000)
        /// A message that the older socket gets first; default none.
        public var supersededNotice: SimulatedService.SystemNotice?
        /// The time from the maintenance notice to the end, scaled; default 60 s.
        public var maintenanceLead: Duration = .seconds(60)
        /// How many notices are spread over that time; 0 closes unannounced and at once; default 1.
        public var maintenanceNoticeCount = 1
        /// How a socket under maintenance ends; default close with 1001.
        public var maintenance: Ending = .close(code: 1001)
        /// What happens to the sockets of an expired, evicted or revoked channel; default close with 1001.
        public var goneChannel: GoneChannel = .end(.close(code: 1001))
        /// Whether `v2.system.token_revoked` is sent when a token is revoked; default true.
        public var announcesRevocation = true

        /// How a socket ends.
        public enum Ending: Hashable, Sendable {
            /// With a Close frame.
            case close(code: UInt16)
            /// Without one.
            case drop
            /// By a TCP reset.
            case reset
        }

        /// What happens to the sockets of a channel that is gone.
        ///
        /// Notifications stop in any case.
        public enum GoneChannel: Hashable, Sendable {
            /// They end at once.
            case end(Ending)
            /// Heartbeats and pongs only; commands are not answered.
            case stayOpen
            /// Heartbeats and pongs only; commands are answered with 404.
            case answerNotFound
        }
    }

    /// Notifications.
    public struct Publishing: Hashable, Sendable {
        /// Notifications of the feed per second, over all channels; never scaled; 0 stops it; default 10.
        public var rate: Double = 10
        /// How many notifications are sent at a time; the rate stays the same; default 1.
        public var burstCount = 1
        /// Pads every notification of the feed to this many bytes; default none.
        public var minByteCount = 0
        /// The part of the notifications of the feed that is sent twice, 0 to 1; default 0.
        public var repeatFraction: Double = 0
        /// Whether the feed takes topics at random instead of in turn; default false.
        public var shufflesTopics = false
        /// Whether notifications are delivered at all; if not, a client receives only heartbeats; default true.
        public var delivers = true
        /// Whether only the newest socket of a channel gets notifications while an older one lives; default false.
        public var newestSocketOnly = false
        /// The largest frame that the driver sends; longer messages are fragmented; default nil: never.
        public var maxFrameByteCount: Int?
    }
}
