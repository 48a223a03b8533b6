import Testing

@testable import GenesysLoop

struct CommandReplyTests {
    private func reply(_ text: String) throws -> CommandReply? {
        guard case .reply(let reply) = try EnvelopeTesting.classify(text) else { return nil }
        return reply
    }

    @Test func `the samples are read`() throws {
        let subscribed = try #require(
            try reply(String(decoding: EnvelopeTesting.sample("12_subscribed"), as: UTF8.self)))
        #expect(subscribed.correlationID == "uno5VlaUHt5t2Mul")
        #expect(subscribed.topics == ["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"])
        #expect(subscribed.status == 200 && subscribed.isSubscribed && !subscribed.isRefused)
        let error = try #require(
            try reply(String(decoding: EnvelopeTesting.sample("13_subscribe_error"), as: UTF8.self)))
        #expect(
            error
                == CommandReply(
                    correlationID: "uno5VlaUHt5t2Mul", status: 400, statusText: "error", topics: [],
                    message: "Required data missing from subscribe request."))
        #expect(error.isRefused && !error.isSubscribed && !error.isUnsubscribed)
    }

    @Test(arguments: [
        (#""200""#, 200), ("200", 200), (#""404""#, 404), ("null", 0), ("{}", 0), (#""OK""#, 0), (#""""#, 0), ("-1", 0),
        ("2e2", 0), ("99999999999999999999", 0), (#""\u0032\u00300""#, 200), ("true", 0),
    ])
    func `the result is a number, spelled either way`(_ result: String, status: Int) throws {
        #expect(try reply(#"{"status":"x","result":"# + result + "}")?.status == status)
    }

    @Test(arguments: [
        (200, "subscribed", "subscribed"), (200, "Subscribed", "subscribed"), (0, "subscribed", "subscribed"),
        (204, "unsubscribed", "unsubscribed"), (400, "subscribed", "refused"), (200, "error", "refused"),
        (200, "FAILURE", "refused"), (0, "failed", "refused"), (404, "", "refused"), (500, "?", "refused"),
        (200, "", "none"), (0, "?", "none"), (299, "", "none"), (300, "", "refused"), (101, "", "refused"),
    ])
    func `a reply is a confirmation, a refusal or neither`(_ status: Int, text: String, outcome: String) {
        let reply = CommandReply(status: status, statusText: text)
        #expect(reply.isSubscribed == (outcome == "subscribed"))
        #expect(reply.isUnsubscribed == (outcome == "unsubscribed"))
        #expect(reply.isRefused == (outcome == "refused"))
    }

    @Test(arguments: [
        (#"[]"#, [String]?([])), (#"["a"]"#, ["a"]), (#"[ "a" , "b\u0063" ]"#, ["a", "bc"]),
        (#"["a",1,null,{"id":"x"},["y"],"b"]"#, ["a", "b"]), (#""a""#, nil), ("{}", nil), (#"["]",","]"#, ["]", ","]),
    ])
    func `the strings among the topics are read`(_ topics: String, names: [String]?) throws {
        #expect(try reply(#"{"result":"200","topics":"# + topics + "}")?.topics?.map(\.rawValue) == names)
    }

    @Test func `a reply needs a result or a status, and no topic`() throws {
        #expect(try reply(#"{"result":"404","message":"gone"}"#) == CommandReply(status: 404, message: "gone"))
        #expect(try reply(#"{"status":"subscribed"}"#)?.isSubscribed == true)
        #expect(try reply(#"{"topicName":null,"result":200}"#)?.status == 200)
        #expect(try reply(#"{"correlationId":"a"}"#) == nil)
        #expect(try reply(#"{"status":200}"#) == nil)
        #expect(try reply(#"{"topicName":"v2.a","result":"200","status":"subscribed"}"#) == nil)
        #expect(try reply(#"{"eventBody":{"result":"200"}}"#) == nil)
    }
}
