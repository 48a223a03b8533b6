/// Messages of the service as compact JSON, byte for byte.
///
/// Ids, names, numbers and spoken text are synthetic.
public enum SamplePayloads {
    /// The eight notifications.
    public static let notifications = [
        presence, routingStatus, activity, conversationSummary, conversations, queueObservations, transcription,
        transcriptionStatus,
    ]

    /// Presence of a user.
    public static let presence = """
        {"topicName":"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence","version":"2",\
        "eventBody":{"source":"PURECLOUD","presenceDefinition":{"id":"6a3af858-942f-489d-9700-5f9bcdcdae9b",\
        "systemPresence":"AVAILABLE"},"primary":true,"message":"","modifiedDate":"2024-05-14T09:03:17.047Z"},\
        "metadata":{"CorrelationId":"5b3c1a52-7b3e-4c58-9c30-2f3a1f0d7a10"}}
        """

    /// Routing status of a user.
    public static let routingStatus = """
        {"topicName":"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.routingStatus","version":"2",\
        "eventBody":{"id":"e40f28ea-fa86-493f-a5b8-d559c8533c96","routingStatus":{"status":"INTERACTING",\
        "startTime":"2024-05-14T09:05:41.212Z"}},"metadata":{"CorrelationId":"0f6b0b7e-2f0c-4a0e-8e4e-0c7f2b0b9f11"}}
        """

    /// Activity of a user.
    public static let activity = """
        {"topicName":"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.activity","version":"2",\
        "eventBody":{"id":"e40f28ea-fa86-493f-a5b8-d559c8533c96","routingStatus":{"status":"OFF_QUEUE",\
        "startTime":"2021-05-14T09:03:17.067Z"},\
        "presence":{"presenceDefinition":{"id":"6a3af858-942f-489d-9700-5f9bcdcdae9b","systemPresence":"AVAILABLE"},\
        "modifiedDate":"2021-05-14T09:03:17.047Z"},"outOfOffice":{"active":false,\
        "modifiedDate":"2018-04-02T01:42:52.505Z"},"activeQueueIds":["4750048b-1994-41d4-8410-a5760c49a6cd",\
        "d3a783a9-547b-4bb8-88df-4bfb43ecc322","264ce314-37b0-4f14-ba8c-521d827043b5",\
        "b2d5acbd-04f6-44b0-9029-3fb7d0152017"],"dateActiveQueuesChanged":"2021-03-25T04:15:44.913Z"},\
        "metadata":{"CorrelationId":"9e8067c7-8b35-4e54-add9-db24e7d6f086"}}
        """

    /// Conversation summary of a user.
    public static let conversationSummary = """
        {"topicName":"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.conversationsummary","version":"2",\
        "eventBody":{"call":{"contactCenter":{"active":1,"acw":0},"enterprise":{"active":0,"acw":0}},\
        "callback":{"contactCenter":{"active":0,"acw":0},"enterprise":{"active":0,"acw":0}},\
        "email":{"contactCenter":{"active":0,"acw":0},"enterprise":{"active":0,"acw":0}},\
        "message":{"contactCenter":{"active":0,"acw":0},"enterprise":{"active":0,"acw":0}},\
        "chat":{"contactCenter":{"active":0,"acw":1},"enterprise":{"active":0,"acw":0}},\
        "socialExpression":{"contactCenter":{"active":0,"acw":0},"enterprise":{"active":0,"acw":0}},\
        "video":{"contactCenter":{"active":0,"acw":0},"enterprise":{"active":0,"acw":0}}},\
        "metadata":{"CorrelationId":"1d0d5f0e-6f0b-4b57-8f6e-5b0a3c9d2e01"}}
        """

    /// A conversation of a user: a callback with four participants.
    public static let conversations = """
        {"topicName":"v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.conversations","version":"2",\
        "eventBody":{"id":"dc119522-79c5-4729-a131-05a4ca44a12f",\
        "participants":[{"id":"9a0231a0-8882-41bb-9b2c-d2f275736270","connectedTime":"2022-07-04T20:04:12.131Z",\
        "name":"Web callback 42","queueId":"0e185c02-aca1-4a72-82ea-2e78684e2c89","purpose":"customer",\
        "wrapupRequired":false,"wrapupExpected":false,"attributes":{"pcEnvironment":"mypurecloud.de","number":"",\
        "domainUrl":"https://example.test/","veUrl":"https://example.test/ve/BxQ00v"},\
        "callbacks":[{"state":"connected","initialState":"scheduled","id":"4abc9472-61cc-402a-83e3-28015dd7f30f",\
        "held":false,"callbackNumbers":["+15555550100"],"callbackUserName":"Web callback 42",\
        "scriptId":"04427bf2-44e4-465d-af8d-24c9cc41e0d2","externalCampaign":false,"skipEnabled":true,\
        "provider":"PureCloud Callback","timeoutSeconds":0,"connectedTime":"2022-07-04T20:04:12.131Z",\
        "callbackScheduledTime":"2022-07-04T20:03:12.235Z","afterCallWorkRequired":false,"callerIdName":"Customer A",\
        "additionalProperties":{}}],"additionalProperties":{}},{"id":"a5d47ef7-3e85-4c2b-81cb-13590bdaa184",\
        "connectedTime":"2022-07-04T20:04:12.132Z","endTime":"2022-07-04T20:07:20.528Z",\
        "queueId":"0e185c02-aca1-4a72-82ea-2e78684e2c89","purpose":"acd","wrapupRequired":false,\
        "wrapupExpected":false,"conversationRoutingData":{"queue":{"id":"0e185c02-aca1-4a72-82ea-2e78684e2c89"},\
        "language":{},"priority":0},"attributes":{"pcEnvironment":"mypurecloud.de","number":"",\
        "domainUrl":"https://example.test/","veUrl":"https://example.test/ve/BxQ00v"},\
        "callbacks":[{"state":"disconnected","initialState":"scheduled","id":"83d66254-d366-4486-82a3-f42d6eb40f7f",\
        "held":false,"disconnectType":"transfer","callbackNumbers":["+15555550100"],\
        "callbackUserName":"Web callback 42","scriptId":"04427bf2-44e4-465d-af8d-24c9cc41e0d2",\
        "peerId":"4abc9472-61cc-402a-83e3-28015dd7f30f","externalCampaign":false,"skipEnabled":true,\
        "provider":"PureCloud Callback","timeoutSeconds":0,"connectedTime":"2022-07-04T20:04:12.132Z",\
        "disconnectedTime":"2022-07-04T20:07:20.528Z","callbackScheduledTime":"2022-07-04T20:03:12.235Z",\
        "afterCallWorkRequired":false,"callerIdName":"Customer A","additionalProperties":{}}],\
        "additionalProperties":{}},{"id":"d7230894-5770-4bb2-b41d-b2765e5cd5b0","endTime":"2022-07-04T20:04:35.306Z",\
        "userId":"e40f28ea-fa86-493f-a5b8-d559c8533c96","queueId":"0e185c02-aca1-4a72-82ea-2e78684e2c89",\
        "purpose":"agent","wrapupRequired":false,"wrapupExpected":true,"wrapupPrompt":"optional",\
        "conversationRoutingData":{"queue":{},"language":{},"priority":0},"alertingTimeoutMs":30000,"attributes":{},\
        "callbacks":[{"state":"disconnected","initialState":"alerting","id":"e762f484-1ddb-4626-8880-ff029c13b0ad",\
        "held":false,"disconnectType":"client","callbackNumbers":["+15555550100"],\
        "callbackUserName":"Web callback 42","scriptId":"04427bf2-44e4-465d-af8d-24c9cc41e0d2",\
        "peerId":"4abc9472-61cc-402a-83e3-28015dd7f30f","externalCampaign":false,"skipEnabled":true,\
        "provider":"PureCloud Callback","timeoutSeconds":0,"disconnectedTime":"2022-07-04T20:04:35.306Z",\
        "callbackScheduledTime":"2022-07-04T20:03:12.235Z","afterCallWorkRequired":false,"callerIdName":"Customer A",\
        "additionalProperties":{}}],"additionalProperties":{}},{"id":"5151853c-ca28-48da-bdcd-f15c46f0712e",\
        "connectedTime":"2022-07-04T20:07:20.528Z","userId":"e40f28ea-fa86-493f-a5b8-d559c8533c96",\
        "queueId":"0e185c02-aca1-4a72-82ea-2e78684e2c89","purpose":"agent","wrapupRequired":true,\
        "wrapupExpected":true,"wrapupPrompt":"optional","startAcwTime":"2022-07-04T20:08:25.397Z",\
        "conversationRoutingData":{"queue":{},"language":{},"priority":0},"alertingTimeoutMs":30000,"attributes":{},\
        "callbacks":[{"state":"connected","initialState":"alerting","id":"19c34168-ccb5-45d5-a9d9-a89caf74e586",\
        "held":false,"disconnectType":"client","callbackNumbers":["+15555550100"],\
        "callbackUserName":"Web callback 42","scriptId":"04427bf2-44e4-465d-af8d-24c9cc41e0d2",\
        "peerId":"4abc9472-61cc-402a-83e3-28015dd7f30f","externalCampaign":false,"skipEnabled":true,\
        "provider":"PureCloud Callback","timeoutSeconds":0,"connectedTime":"2022-07-04T20:07:20.528Z",\
        "disconnectedTime":"2022-07-04T20:08:25.397Z","callbackScheduledTime":"2022-07-04T20:03:12.235Z",\
        "afterCallWork":{"state":"pending","startTime":"2022-07-04T20:08:25.397Z"},"afterCallWorkRequired":false,\
        "callerIdName":"Customer A","additionalProperties":{}}],"additionalProperties":{}}],"recordingState":"none"},\
        "metadata":{"CorrelationId":"2074b130-f0a0-4722-9063-cdbac74c0aee"}}
        """

    /// Observations of a queue.
    public static let queueObservations = """
        {"topicName":"v2.analytics.queues.4750048b-1994-41d4-8410-a5760c49a6cd.observations","version":"2",\
        "eventBody":{"group":{"queueId":"4750048b-1994-41d4-8410-a5760c49a6cd","mediaType":"voice"},\
        "data":[{"interval":"2024-05-14T09:00:00.000Z/2024-05-14T09:30:00.000Z","metrics":[{"metric":"oWaiting",\
        "stats":{"count":3.0}},{"metric":"oInteracting","stats":{"count":12.0}},{"metric":"oOnQueueUsers",\
        "qualifier":"IDLE","stats":{"count":4.0}},{"metric":"oOnQueueUsers","qualifier":"INTERACTING",\
        "stats":{"count":12.0}},{"metric":"oOffQueueUsers","stats":{"count":5.0}},{"metric":"oUserRoutingStatuses",\
        "qualifier":"OFF_QUEUE","stats":{"count":5.0}},{"metric":"oUserRoutingStatuses","qualifier":"IDLE",\
        "stats":{"count":4.0}},{"metric":"oUserRoutingStatuses","qualifier":"INTERACTING","stats":{"count":12.0}},\
        {"metric":"nOffered","stats":{"count":41.0}},{"metric":"tAnswered","stats":{"count":37.0,"sum":412345.0,\
        "min":812.0,"max":60211.0}},{"metric":"tAbandon","stats":{"count":2.0,"sum":54012.0,"min":21001.0,\
        "max":33011.0}},{"metric":"oServiceLevel","stats":{"ratio":0.81,"numerator":30.0,"denominator":37.0,\
        "target":0.8}}]}]},"metadata":{"CorrelationId":"a3c2e7c4-2a8f-4f3b-9c2c-77c9c5d1b2a4"}}
        """

    /// Transcription of a conversation.
    public static let transcription = """
        {"topicName":"v2.conversations.97b9dcb3-c182-4d1f-8123-76a4b5cf1f5a.transcription","version":"2",\
        "eventBody":{"eventTime":"2026-03-19T22:04:48.128Z","organizationId":"00000000-0000-0000-0000-000000000000",\
        "conversationId":"97b9dcb3-c182-4d1f-8123-76a4b5cf1f5a",\
        "communicationId":"7dd98c4f-61ab-33a2-9bc3-18eefd1a0824","sessionStartTimeMs":1773957594383,\
        "transcriptionStartTimeMs":1773957594336,"transcripts":[{"utteranceId":"5b778cb0-3745-4243-b703-688f8b6597a0",\
        "isFinal":true,"channel":"INTERNAL","alternatives":[{"confidence":0.985,"offsetMs":2300,"durationMs":1580,\
        "transcript":"thank you for calling how can i help","words":[{"confidence":0.99,"offsetMs":2300,\
        "durationMs":310,"word":"thank"},{"confidence":0.99,"offsetMs":2620,"durationMs":90,"word":"you"},\
        {"confidence":0.99,"offsetMs":2720,"durationMs":100,"word":"for"},{"confidence":0.99,"offsetMs":2830,\
        "durationMs":400,"word":"calling"},{"confidence":0.99,"offsetMs":3300,"durationMs":120,"word":"how"},\
        {"confidence":0.99,"offsetMs":3430,"durationMs":110,"word":"can"},{"confidence":0.99,"offsetMs":3550,\
        "durationMs":60,"word":"i"},{"confidence":0.99,"offsetMs":3620,"durationMs":260,"word":"help"}],\
        "decoratedTranscript":"Thank you for calling how can I help","decoratedWords":[{"confidence":0.99,\
        "offsetMs":2300,"durationMs":310,"word":"thank"},{"confidence":0.99,"offsetMs":2620,"durationMs":90,\
        "word":"you"},{"confidence":0.99,"offsetMs":2720,"durationMs":100,"word":"for"},{"confidence":0.99,\
        "offsetMs":2830,"durationMs":400,"word":"calling"},{"confidence":0.99,"offsetMs":3300,"durationMs":120,\
        "word":"how"},{"confidence":0.99,"offsetMs":3430,"durationMs":110,"word":"can"},{"confidence":0.99,\
        "offsetMs":3550,"durationMs":60,"word":"i"},{"confidence":0.99,"offsetMs":3620,"durationMs":260,\
        "word":"help"}]}],"engineProvider":"GENESYS","engineId":"r2d2","dialect":"en-US","agentAssistEnabled":false,\
        "voiceTranscriptionEnabled":true}],"status":{"offsetMs":2300,"status":"SESSION_ONGOING"}},\
        "metadata":{"CorrelationId":"d1ab36e9-af51-4b3c-ab96-98d7349e75b4"}}
        """

    /// Transcription status of a conversation, without transcripts.
    public static let transcriptionStatus = """
        {"topicName":"v2.conversations.97b9dcb3-c182-4d1f-8123-76a4b5cf1f5a.transcription","version":"2",\
        "eventBody":{"eventTime":"2026-03-19T22:09:01.912Z","organizationId":"00000000-0000-0000-0000-000000000000",\
        "conversationId":"97b9dcb3-c182-4d1f-8123-76a4b5cf1f5a",\
        "communicationId":"7dd98c4f-61ab-33a2-9bc3-18eefd1a0824","sessionStartTimeMs":1773957594383,\
        "transcriptionStartTimeMs":1773957594336,"status":{"offsetMs":63020,"status":"SESSION_ENDED"}},\
        "metadata":{"CorrelationId":"7d0a4a1c-8f5a-49ad-9a86-0d1c2c4f9b21"}}
        """

    /// The heartbeat.
    public static let heartbeat = """
        {"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}
        """

    /// The answer to a ping command.
    public static let pong = """
        {"topicName":"channel.metadata","eventBody":{"message":"pong"}}
        """

    /// The maintenance notice.
    public static let socketClosing = """
        {"topicName":"v2.system.socket_closing","eventBody":{"message":"Websocket closing soon"}}
        """

    /// A confirmed subscribe.
    public static let subscribed = """
        {"correlationId":"uno5VlaUHt5t2Mul","topics":["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"],\
        "result":"200","status":"subscribed"}
        """

    /// The answer to a subscribe without topics.
    public static let subscribeError = """
        {"correlationId":"uno5VlaUHt5t2Mul","topics":[],"result":"400","status":"error",\
        "message":"Required data missing from subscribe request."}
        """
}
