import GenesysLoop
import GenesysSimulator
import Testing

/// Channels of other tokens and other processes, topics without permission, and the catalog.
@Suite struct OwnershipTests {
    @Test func `a token lists its own channels, and sees that the client's others exist`() throws {
        var stage = RESTStage()
        _ = try stage.service.channelCreated(now: .zero)
        let (first, second) = (try stage.makeToken(), try stage.makeToken())
        let own = try stage.makeChannel(first)
        stage.now += .seconds(1)
        _ = try stage.makeChannel(second)
        for query in ["", "?includechannels=token", "?x&includechannels=Token"] {
            let entities = stage.call("GET", "notifications/channels\(query)", first).entities
            #expect(entities.map { $0["id"] as? String } == [own], "\(query)")
        }
        let all = stage.call("GET", "notifications/channels?includechannels=oauthclient", first).entities
        #expect(all.map { $0["id"] as? String } == [own, nil])
        #expect(all[0]["connectUri"] as? String == "wss://here:1/channels/\(own)")
        #expect(all[1].keys.sorted() == ["expires"])
        #expect(all[1]["expires"] as? String == "2026-08-01T09:05:03.007Z")
        #expect(stage.call("GET", "notifications/channels?includechannels=all", first).status == 400)
    }

    @Test func `the channel of another token is not found, or forbidden`() throws {
        var stage = RESTStage()
        let owner = try stage.makeToken()
        let other = try stage.makeToken()
        let id = try stage.makeChannel(owner)
        let calls = [
            ("HEAD", ""), ("GET", "/subscriptions"), ("PUT", "/subscriptions"), ("DELETE", "/subscriptions"),
        ]
        for (method, path) in calls {
            let answer = stage.call(method, "notifications/channels/\(id)\(path)", other, #"[{"id":"v2.a"}]"#)
            #expect(answer.status == 404 && answer.code == "not.found")
        }
        stage.service.configuration.tokens.hidesForeignChannels = false
        for (method, path) in calls {
            let answer = stage.call(method, "notifications/channels/\(id)\(path)", other, #"[{"id":"v2.a"}]"#)
            #expect(answer.status == 403 && answer.code == "not.authorized")
        }
        #expect(stage.call("HEAD", "notifications/channels/none", other).status == 404)
        #expect(try stage.service.subscriptions(of: id) == [])
    }

    // MARK: The limit

    @Test func `another process takes the place of our longest idle channel`() throws {
        var stage = RESTStage()
        _ = try stage.service.channelCreated(now: .zero)
        let token = try stage.makeToken()
        let channels = try (0..<3).map { _ in try stage.makeChannel(token) }
        let socket = try stage.open(channels[0])
        stage.service.otherProcessStarted(channelCount: 17, now: stage.now)
        #expect(stage.have(channels, token) == [true, true, true])
        stage.service.otherProcessStarted(channelCount: 1, now: stage.now)
        #expect(stage.have(channels, token) == [true, false, true])
        #expect(stage.service.madeTokenCount == 3)
        let all = stage.call("GET", "notifications/channels?includechannels=oauthclient", token).entities
        #expect(all.count == 20 && all.count { $0["id"] == nil } == 18)
        // The connected one is the last.
        stage.service.otherProcessStarted(channelCount: 19, now: stage.now)
        #expect(stage.have(channels, token) == [true, false, false])
        stage.service.configuration.channels.maxCount = 1
        stage.service.otherProcessStarted(channelCount: 19, now: stage.now)
        #expect(stage.pass(.zero) == [])
        for _ in 0..<20 { stage.service.otherProcessStarted(channelCount: 1, now: stage.now) }
        #expect(stage.service.sockets(of: channels[0]) == [socket], "idle channels go first")
        #expect(stage.service.channelIDs.count == 21, "the operator's is not counted")
    }

    @Test func `a channel above the limit starves, if that is configured`() throws {
        var stage = RESTStage {
            $0.channels.maxCount = 1
            $0.channels.overflow = .starve
        }
        let token = try stage.makeToken()
        let ids = [try stage.makeChannel(token), try stage.makeChannel(token)]
        let sockets = try ids.map { try stage.open($0) }
        for id in ids {
            let path = "notifications/channels/\(id)/subscriptions"
            #expect(stage.call("PUT", path, token, #"[{"id":"v2.a"}]"#).status == 200)
        }
        let actions = stage.service.publish(eventBody: Array("{}".utf8), to: "v2.a", now: stage.now)
        #expect(actions.map(\.socket) == [sockets[0]])
        let beats = stage.pass(.seconds(30))
        #expect(sockets.allSatisfy { socket in beats.contains { $0.hasPrefix("\(socket) ") } }, "\(beats)")
    }

    // MARK: Permissions

    private let mixed = #"[{"id":"v2.users.x?presence&activity"},{"id":"v2.b"},{"id":"v2.users.x.activity"}]"#

    @Test func `without ignoreErrors one topic refuses all, and the text names the permissions`() throws {
        var stage = RESTStage { $0.channels.forbiddenTopics = ["v2.users.x.activity", "v2.b.c"] }
        let token = try stage.makeToken()
        let id = try stage.makeChannel(token)
        let answer = stage.call("PUT", "notifications/channels/\(id)/subscriptions", token, mixed)
        #expect(answer.status == 403 && answer.code == "missing.any.permissions")
        #expect((answer.object["message"] as? String)?.hasSuffix(": [directory:userActivity:view]") == true)
        #expect(try stage.service.subscriptions(of: id) == [])
        stage.service.configuration.channels.permitsIgnoringErrors = false
        let path = "notifications/channels/\(id)/subscriptions?ignoreErrors=true"
        #expect(stage.call("PUT", path, token, mixed).status == 403)
    }

    @Test func `with ignoreErrors a combined topic is permitted, and its refused part rejected by itself`() throws {
        var stage = RESTStage { $0.channels.forbiddenTopics = ["v2.users.x.activity"] }
        let token = try stage.makeToken()
        let id = try stage.makeChannel(token)
        let path = "notifications/channels/\(id)/subscriptions?ignoreErrors=true"
        let answer = stage.call("PUT", path, token, mixed)
        let states = answer.entities.map { "\($0["id"] ?? "") \($0["state"] ?? "")" }
        #expect(
            states == [
                "v2.users.x?presence&activity Permitted", "v2.b Permitted", "v2.users.x.activity Rejected",
                "v2.users.x.activity Rejected",
            ])
        let rejected = answer.entities[2]
        #expect(rejected["missingPermissions"] as? [String] == ["directory:userActivity:view"])
        #expect(
            rejected["rejectionReason"] as? String
                == "The user does not have permissions required for topic v2.users.x.activity")
    }

    @Test func `a topic can be left out of the answer`() throws {
        var stage = RESTStage { $0.commands.unnamedTopics = ["v2.b"] }
        let token = try stage.makeToken()
        let id = try stage.makeChannel(token)
        let path = "notifications/channels/\(id)/subscriptions?ignoreErrors=true"
        let answer = stage.call("PUT", path, token, #"[{"id":"v2.a"},{"id":"v2.b"}]"#)
        #expect(answer.entities.map { $0["id"] as? String } == ["v2.a"])
        #expect(try stage.service.subscriptions(of: id) == ["v2.a", "v2.b"])
    }

    // MARK: The catalog

    @Test func `the catalog has each kind of requirement, and the members that are asked for`() throws {
        var stage = RESTStage()
        let token = try stage.makeToken()
        let plain = stage.call("GET", "notifications/availabletopics", token).entities
        #expect(plain.count == 10 && plain.allSatisfy { $0.keys.sorted() == ["id"] })
        let path =
            "notifications/availabletopics?expand=permissionDetails,transports%2Cvisibility&expand=requiresPermissions"
        let topics = stage.call("GET", path, token).entities
        let types = topics.flatMap { $0["permissionDetails"] as? [[String: Any]] ?? [] }.map { $0["type"] as? String }
        #expect(
            Set(types) == [
                "requiresPermissions", "requiresDivisionPermissions", "requiresAnyDivisionPermissions",
                "requiresCurrentUser", "requiresUserBeConversationParticipant",
            ])
        let observations = try #require(
            topics.first { $0["id"] as? String == "v2.analytics.queues.{id}.observations" })
        #expect(
            observations["requiresPermissions"] as? [String]
                == ["analytics:queueObservation:view", "analytics:conversationAggregate:view"])
        #expect(topics.contains { $0["transports"] as? [String] == ["EventBridge"] })
        #expect(topics.count { $0["visibility"] as? String == "Preview" } == 1)
        #expect(stage.call("GET", "notifications/availabletopics?includePreview=false", token).entities.count == 9)
        #expect(stage.call("POST", "notifications/availabletopics", token).status == 405)
    }

    @Test(arguments: [1, 10_000, 5_000_000]) func `the catalog can be large`(size: Int) throws {
        var stage = RESTStage { $0.channels.minCatalogByteCount = size }
        let answer = stage.call("GET", "notifications/availabletopics?expand=schema", try stage.makeToken())
        #expect(answer.body.count >= size && answer.body.count < size + 10_000)
        #expect(answer.entities.count >= 10)
    }
}
