import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct CommandTests {
    @Test func `a subscribe is confirmed with its correlation id and topics`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let topic = "v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"
        let command = #"{"message":"subscribe","topics":["\#(topic)"],"correlationId":"uno5VlaUHt5t2Mul"}"#
        #expect(stage.say(command, on: socket) == ["\(socket) \(SamplePayloads.subscribed)"])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [Topic(topic)])
    }

    @Test func `empty topics give the captured text`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let command = #"{"message":"subscribe","topics":[],"correlationId":"uno5VlaUHt5t2Mul"}"#
        #expect(stage.say(command, on: socket) == ["\(socket) \(SamplePayloads.subscribeError)"])
    }

    @Test(arguments: [
        #"{"message":"subscribe","correlationId":"c"}"#, #"{"message":"subscribe","topics":"a.b","correlationId":"c"}"#,
        #"{"message":"subscribe","topics":[{"id":"a.b"}],"correlationId":"c"}"#,
    ])
    func `missing topics and topics that are no array of strings are refused alike`(command: String) throws {
        var stage = try Stage()
        let socket = try stage.open()
        let reply = SamplePayloads.subscribeError.replacing("uno5VlaUHt5t2Mul", with: "c")
        #expect(stage.say(command, on: socket) == ["\(socket) \(reply)"])
    }

    @Test func `an absent correlation id is absent from the reply`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        #expect(
            stage.say(#"{"topics":["a.b"],"message":"subscribe"}"#, on: socket) == [
                #"\#(socket) {"topics":["a.b"],"result":"200","status":"subscribed"}"#
            ])
    }

    @Test func `what the client wrote comes back as valid JSON whatever it holds`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        #expect(
            stage.say(#"{"message":"subscribe","topics":["a\u002eb"],"correlationId":"\"\\\n\u00e9"}"#, on: socket) == [
                #"\#(socket) {"correlationId":"\"\\\né","topics":["a.b"],"result":"200","status":"subscribed"}"#
            ])
    }

    @Test func `a subscribe adds, and the same topics succeed again`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        let reply = #"\#(socket) {"correlationId":"c1","topics":["\#(routing)","\#(presence)"],"#
        #expect(
            stage.subscribe([routing, presence], on: socket) == [reply + #""result":"200","status":"subscribed"}"#])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [Topic(presence), Topic(routing)])
    }

    @Test func `a subscribe replaces where it is configured`() throws {
        var stage = try Stage { $0.commands.subscribeReplaces = true }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        _ = stage.subscribe([routing], on: socket)
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [Topic(routing)])
    }

    @Test func `a thousand topics are taken and one more is refused with 400, changing nothing`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let topics = (0..<1_000).map { "v2.users.\($0).presence" }
        #expect(stage.subscribe(topics, on: socket).first?.hasSuffix(#""result":"200","status":"subscribed"}"#) == true)
        #expect(stage.subscribe([topics[7]], on: socket).first?.contains(#""result":"200""#) == true)
        let expires = stage.service.expiry(of: stage.channel.id)
        stage.now += .seconds(5)
        #expect(
            stage.subscribe([topics[7], "one.more"], on: socket).first?.hasSuffix(
                #""result":"400","status":"failure","message":"A channel can have at most 1000 topics."}"#) == true)
        #expect(try stage.service.subscriptions(of: stage.channel.id).count == 1_000)
        #expect(stage.service.expiry(of: stage.channel.id) == expires)
    }

    @Test func `1,001 topics at once are refused and none is subscribed`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let reply = stage.subscribe((0...1_000).map { "v2.users.\($0).presence" }, on: socket)
        #expect(reply.first?.contains(#""result":"400","status":"failure""#) == true)
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [])
    }

    @Test func `a combined topic counts once`() throws {
        var stage = try Stage { $0.channels.maxTopicCount = 1 }
        let socket = try stage.open()
        #expect(stage.subscribe(["v2.users.1?presence&station"], on: socket).first?.contains(#""200""#) == true)
    }

    @Test func `a topic of 200 characters is taken, a longer one and one with a space are refused`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let longest = String(repeating: "a", count: 200)
        #expect(stage.subscribe([longest], on: socket).first?.contains(#""result":"200""#) == true)
        for bad in [longest + "a", "a b", ""] {
            #expect(stage.subscribe([bad], on: socket).first?.contains(#""result":"400","status":"failure""#) == true)
        }
    }

    @Test func `a topic without permission refuses the whole command, in a combined topic too`() throws {
        var stage = try Stage { $0.channels.forbiddenTopics = ["v2.users.1.presence"] }
        let socket = try stage.open()
        for topics in [["v2.users.1.presence", routing], ["v2.users.1?station&presence"]] {
            #expect(stage.subscribe(topics, on: socket).first?.contains(#""result":"400","status":"failure""#) == true)
        }
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [])
    }

    @Test func `unsubscribe removes and confirms`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        _ = stage.subscribe([presence, routing], on: socket)
        let command = #"{"message":"unsubscribe","topics":["\#(presence)","not.there"],"correlationId":"u"}"#
        let reply =
            #"{"correlationId":"u","topics":["\#(presence)","not.there"],"result":"200","status":"unsubscribed"}"#
        #expect(stage.say(command, on: socket) == ["\(socket) \(reply)"])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [Topic(routing)])
        #expect(
            stage.say(#"{"message":"unsubscribe","correlationId":"u"}"#, on: socket) == [
                #"\#(socket) {"correlationId":"u","topics":[],"result":"400","status":"error","#
                    + #""message":"Required data missing from unsubscribe request."}"#
            ])
    }

    @Test func `unsubscribe may stay unanswered and still removes`() throws {
        var stage = try Stage { $0.commands.answersUnsubscribe = false }
        let socket = try stage.open()
        _ = stage.subscribe([presence], on: socket)
        #expect(stage.say(#"{"message":"unsubscribe","topics":["\#(presence)"]}"#, on: socket) == [])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [])
    }

    @Test func `the three refusals of a subscribe have their texts and change nothing`() throws {
        let rows: [(SimulatedService.Configuration.Commands.SubscribeReply, String)] = [
            (.failure, #""result":"400","status":"failure","message":"The subscription was refused."}"#),
            (.error, #""result":"400","status":"error","message":"Required data missing from subscribe request."}"#),
            (.notFound, #""result":"404","message":"Channel not found."}"#),
            (.refuse(result: "403", status: "error", message: nil), #""result":"403","status":"error"}"#),
        ]
        for (reply, text) in rows {
            var stage = try Stage { $0.commands.subscribeReply = reply }
            let socket = try stage.open()
            let expected = #"\#(socket) {"correlationId":"c1","topics":["a.b"],"# + text
            #expect(stage.subscribe(["a.b"], on: socket) == [expected])
            #expect(try stage.service.subscriptions(of: stage.channel.id) == [])
        }
    }

    @Test func `a reply can be left out, doubled, late, or after the first notification`() throws {
        var stage = try Stage { $0.commands.subscribeReply = .unsaid }
        let socket = try stage.open()
        #expect(stage.subscribe([presence], on: socket) == [])
        #expect(try stage.service.subscriptions(of: stage.channel.id) == [Topic(presence)])
        let reply = #"\#(socket) {"correlationId":"c1","topics":["\#(presence)"],"result":"200","status":"subscribed"}"#
        stage.service.configuration.commands.subscribeReply = .twice
        #expect(stage.subscribe([presence], on: socket) == [reply, reply])
        stage.service.configuration.commands.subscribeReply = .afterData
        let lines = stage.subscribe([presence], on: socket)
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix(#"\#(socket) {"topicName":"\#(presence)""#) == true)
        #expect(lines.last == reply)
        stage.service.configuration.commands.subscribeReply = .delayed(.seconds(2))
        #expect(stage.subscribe([presence], on: socket) == [])
        #expect(stage.pass(.seconds(2)) == ["2.0 seconds \(reply)"])
    }

    @Test(arguments: [
        "2021-02-03 10:00:01.123 +0000 UTC", "[object Object]", "", "5", "null", "[]", "{}", #"{"message":5}"#,
        #"{"message":"list"}"#, #"{"message":"Subscribe","topics":["a.b"]}"#, #"{"message":"ping""#, "\u{FEFF}",
    ])
    func `junk is ignored, and answered or closed where it is configured`(junk: String) throws {
        var stage = try Stage()
        let socket = try stage.open()
        #expect(stage.say(junk, on: socket) == [])
        stage.service.configuration.commands.junk = .answer
        let reply = #"{"topics":[],"result":"400","status":"error","message":"Unknown message."}"#
        #expect(stage.say(junk, on: socket) == ["\(socket) \(reply)"])
        stage.service.configuration.commands.junk = .close(code: 1008)
        #expect(stage.say(junk, on: socket) == ["\(socket) close 1008"])
        #expect(stage.say(junk, on: socket) == [])
    }

    @Test func `only UTF-8 without a byte order mark is read`() throws {
        var stage = try Stage()
        let socket = try stage.open()
        let ping = Array(#"{"message":"ping"}"#.utf8)
        let rows: [[UInt8]] = [
            Array(#"{"message":"ping","x":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8),
            ping.flatMap { [$0, 0] }, ping.flatMap { [0, $0] }, [0xEF, 0xBB, 0xBF] + ping,
        ]
        for bytes in rows {
            #expect(stage.service.textReceived(on: socket, bytes, now: stage.now) == [])
        }
        #expect(stage.service.textReceived(on: socket, ping, now: stage.now).count == 1)
    }
}
