import GenesysLoop
import Testing

@testable import GenesysPlatform

@Suite struct RESTCallTests {
    private let id = SecretBytes("streaming-3-abc/../x")

    @Test func `calls have the method, the path and the body of the platform`() {
        let topics: [Topic] = ["v2.users.1.presence", "v2.a\"b"]
        let path = "/api/v2/notifications/channels/streaming-3-abc%2F%2E%2E%2Fx"
        let expected: [(RESTCall, String, String?)] = [
            (.mintToken, "POST /oauth/token", "grant_type=client_credentials"),
            (.createChannel, "POST /api/v2/notifications/channels", nil),
            (.listChannels, "GET /api/v2/notifications/channels?includechannels=oauthclient", nil),
            (.checkChannel(id), "HEAD \(path)", nil),
            (.topics(of: id), "GET \(path)/subscriptions", nil),
            (
                .addTopics(topics, to: id), "POST \(path)/subscriptions?ignoreErrors=true",
                #"[{"id":"v2.users.1.presence"},{"id":"v2.a\"b"}]"#
            ),
            (
                .setTopics([], of: id), "PUT \(path)/subscriptions?ignoreErrors=true", "[]"
            ),
            (.removeTopics(of: id), "DELETE \(path)/subscriptions", nil),
            (.describeToken, "GET /api/v2/tokens/me", nil),
        ]
        for (call, line, body) in expected {
            #expect("\(call.method) \(call.target)" == line)
            #expect(call.body.map { String(decoding: $0, as: UTF8.self) } == body)
            #expect(!"\(call)".contains("abc"), "\(call)")
        }
        #expect(RESTCall.catalog.target.hasPrefix("/api/v2/notifications/availabletopics?expand="))
    }

    @Test func `only tokens and channels are made, on connections of their own`() {
        let made: [RESTCall] = [.mintToken, .createChannel]
        let others: [RESTCall] = [
            .listChannels, .checkChannel(id), .topics(of: id), .addTopics([], to: id), .setTopics([], of: id),
            .removeTopics(of: id), .describeToken, .catalog,
        ]
        for call in made { #expect(call.isCreation) }
        for call in others {
            #expect(!call.isCreation)
            #expect(call.side == .api)
        }
        #expect(RESTCall.mintToken.side == .login)
    }
}
