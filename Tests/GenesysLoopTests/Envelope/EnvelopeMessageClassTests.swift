import Testing

@testable import GenesysLoop

struct EnvelopeMessageClassTests {
    static let table: [(String, MessageClass)] = [
        (#"{"topicName":"v2.users.1.presence","eventBody":{}}"#, .notification),
        (#"{"topicName":"v2.users.1.presence"}"#, .notification),
        (#"{"topicName":""}"#, .notification),
        (#"{"topicName":"v"}"#, .notification),
        (#"{"topicName":"v2.system"}"#, .notification),
        (#"{"topicName":"v2.systems.a"}"#, .notification),
        (#"{"topicName":"channel.metadata.x"}"#, .notification),
        (#"{"topicName":"channel.metadat"}"#, .notification),
        (#"{"topicName":"v2\u002eusers"}"#, .notification),
        (#"{"topicName":"v2.system\u212Aa"}"#, .notification),
        (#"{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}"#, .heartbeat),
        (
            #"{"eventBody":{"message":"WEBSOCKET heartbeat","x":1},"topicName":"CHANNEL.Metadata","version":"2"}"#,
            .heartbeat
        ),
        (#"{"topicName":"channel.metadata"}"#, .heartbeat),
        (#"{"topicName":"channel.metadata","eventBody":null}"#, .heartbeat),
        (#"{"topicName":"channel.metadata","eventBody":{"a":{"message":"pong"}}}"#, .heartbeat),
        (#"{"topicName":"channel.metadata","message":"pong","eventBody":{}}"#, .heartbeat),
        (#"{"topicName":"channel.metadata","eventBody":{"message":"pong"}}"#, .pong),
        (#"{"topicName":"channel\u002emetadata","eventBody":{"message":"p\u006fng"}}"#, .pong),
        (#"{"topicName":"Channel.Metadata","eventBody":{"message":"PONG"}}"#, .pong),
        (#"{"topicName":"v2.system.socket_closing","eventBody":{"message":"Websocket closing soon"}}"#, .socketClosing),
        (#"{"topicName":"V2.SYSTEM.SOCKET_CLOSING"}"#, .socketClosing),
        (#"{"topicName":"v2.system.no_longer_subscribed"}"#, .system(.noLongerSubscribed)),
        (#"{"topicName":"v2.system.duplicate_id"}"#, .system(.duplicateID)),
        (#"{"topicName":"v2.system.subscription_changed"}"#, .system(.subscriptionChanged)),
        (#"{"topicName":"v2.system.token_revoked"}"#, .system(.tokenRevoked)),
        (#"{"topicName":"system.v2.duplicate_id.streaming-2-aa5h48uk0srhpugh2994klj918"}"#, .system(.duplicateID)),
        (#"{"topicName":"system.v2.no_longer_subscribed.streaming-2-aa5h"}"#, .system(.noLongerSubscribed)),
        (#"{"topicName":"v2.system.tokens_revoked"}"#, .system(.unknown)),
        (#"{"topicName":"v2.system."}"#, .system(.unknown)),
        (#"{"topicName":"v2.system.news","eventBody":{"systemTopicType":"token_revoked"}}"#, .system(.tokenRevoked)),
        (#"{"topicName":"v2.system.news","eventBody":{"x":{"systemTopicType":"token_revoked"}}}"#, .system(.unknown)),
        (#"{"topicName":"v2.system.token_revoked","eventBody":{"systemTopicType":"x"}}"#, .system(.tokenRevoked)),
        ("{}", .unrecognized), (#"{"topicName":1}"#, .unrecognized), (#"{"topicName":null}"#, .unrecognized),
        (#"{"topicName":{"topicName":"v2.a"}}"#, .unrecognized), (#"{"eventBody":{}}"#, .unrecognized),
        (#"{"message":"ping"}"#, .unrecognized), (#"{"result":null}"#, .unrecognized),
    ]

    @Test(arguments: table)
    func `a message is told by its topic`(_ text: String, expected: MessageClass) throws {
        #expect(try EnvelopeTesting.classify(text) == expected)
    }

    @Test func `a control name is not cut short by the end of the message`() throws {
        // The first eight bytes of the name reach beyond it into the rest of the message.
        #expect(try EnvelopeTesting.classify(#"{"topicName":"v2"}"#) == .notification)
        #expect(try EnvelopeTesting.classify(#"{"topicName":"channel"}"#) == .notification)
    }
}
