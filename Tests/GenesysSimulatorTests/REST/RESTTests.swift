import GenesysLoop
import GenesysSimulator
import Testing

@Suite struct RESTTests {
    typealias Request = SimulatedService.RESTRequest

    /// A service and its REST side at 2026-07-31T09:05:03.007Z.
    struct Site {
        var service: SimulatedService
        var now: Duration = .zero

        init(_ configure: (inout SimulatedService.Configuration) -> Void = { _ in }) {
            var configuration = SimulatedService.Configuration()
            configure(&configuration)
            service = SimulatedService(configuration: configuration, seed: 1)
        }

        mutating func ask(_ method: String, _ path: String, _ body: String = "") -> (status: Int, body: String) {
            let answer = whole(method, path, body)
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }

        mutating func whole(_ method: String, _ path: String, _ body: String = "") -> SimulatedService.RESTAnswer {
            service.restRequested(
                Request(method, "/api/v2/notifications/\(path)", body: Array(body.utf8)), socketBase: "wss://here:1",
                wall: WallTime(seconds: 1_785_488_703, nanoseconds: 7_000_000), now: now)
        }

        mutating func makeChannel() -> String {
            _ = ask("POST", "channels")
            return service.channelIDs.last ?? ""
        }
    }

    @Test func `a channel is made with its URI, its id and its end`() {
        var site = Site()
        let answer = site.ask("POST", "channels")
        let id = site.service.channelIDs[0]
        #expect(answer.status == 200)
        #expect(
            answer.body
                == #"{"connectUri":"wss://here:1/channels/\#(id)","id":"\#(id)","expires":"2026-08-01T09:05:03.007Z"}"#)
        let listing = site.ask("GET", "channels?includechannels=token")
        #expect(listing.status == 200 && listing.body == #"{"entities":[\#(answer.body)]}"#)
        #expect(site.ask("HEAD", "channels/\(id)").status == 200)
        #expect(site.ask("HEAD", "channels/streaming-0-none").status == 404)
    }

    @Test func `topics are added, replaced, listed and removed`() {
        var site = Site()
        let id = site.makeChannel()
        let path = "channels/\(id)/subscriptions"
        #expect(site.ask("GET", path).body == #"{"entities":[]}"#)
        #expect(
            site.ask("POST", path, #"[{"id":"v2.a"},{"id":"v2.b?x&y","selfUri":"/"}]"#).body
                == #"{"entities":[{"id":"v2.a","state":"Permitted"},{"id":"v2.b?x&y","state":"Permitted"}]}"#)
        #expect(site.ask("PUT", path, #"[{"id":"v2.c"}]"#).status == 200)
        #expect(site.ask("GET", path).body == #"{"entities":[{"id":"v2.c","state":"Permitted"}]}"#)
        #expect(site.ask("DELETE", path).status == 204)
        #expect(site.ask("GET", path).body == #"{"entities":[]}"#)
    }

    @Test func `a topic without permission refuses all, or itself only when errors are ignored`() {
        var site = Site { $0.channels.forbiddenTopics = ["v2.secret"] }
        let path = "channels/\(site.makeChannel())/subscriptions"
        let body = #"[{"id":"v2.a"},{"id":"v2.secret"}]"#
        #expect(site.ask("POST", path, body).status == 403)
        #expect(site.ask("GET", path).body == #"{"entities":[]}"#)
        let partly = site.ask("POST", path + "?ignoreErrors=true", body)
        #expect(partly.status == 200 && partly.body.contains(#""id":"v2.secret","state":"Rejected""#))
        #expect(site.ask("GET", path).body == #"{"entities":[{"id":"v2.a","state":"Permitted"}]}"#)
    }

    @Test func `the twenty-first channel evicts the longest unused`() {
        var site = Site()
        let first = site.makeChannel()
        for _ in 2...20 {
            site.now += .seconds(1)
            _ = site.makeChannel()
        }
        #expect(site.ask("HEAD", "channels/\(first)").status == 200)
        _ = site.makeChannel()
        #expect(site.ask("HEAD", "channels/\(first)").status == 404)
        #expect(site.service.channelIDs.count == 20)
    }

    @Test func `too many requests come with Retry-After`() {
        var site = Site { $0.channels.creationRefusal = .tooManyRequests(retryAfter: 7) }
        let answer = site.whole("POST", "channels")
        #expect(answer.status == 429)
        #expect(answer.headers == [.init("Retry-After", "7")])
        #expect(String(decoding: answer.body, as: UTF8.self).contains(#""code":"too.many.requests""#))
    }

    @Test func `a path may be percent-encoded, with a slash at its end, and true be written True`() {
        var site = Site { $0.channels.forbiddenTopics = ["v2.secret"] }
        let id = site.makeChannel()
        let encoded = id.replacing("-", with: "%2D")
        #expect(site.ask("HEAD", "channels/\(encoded)/").status == 200)
        #expect(site.ask("HEAD", "channels/%zz").status == 404)
        let body = #"[{"id":"v2.secret"}]"#
        #expect(site.ask("POST", "channels/\(encoded)/subscriptions/?a=b&ignoreErrors=True", body).status == 200)
        #expect(site.ask("POST", "channels/\(id)/subscriptions?ignoreErrors=1", body).status == 403)
        guard case .accept = site.service.upgradeRequested(target: "/channels/\(encoded)?x", now: .zero) else {
            return #expect(Bool(false), "no socket")
        }
    }

    @Test func `what is not understood is refused with a status that says so`() {
        var site = Site()
        let id = site.makeChannel()
        let path = "channels/\(id)/subscriptions"
        for body in [
            "", "{}", "[1]", #"[{"name":"v2.a"}]"#, "[{\"id\":\"v2.a\"}", "\u{FF}", #"[{"id":"v2.a"},]"#,
            #"[{"id":"v2.a",}]"#, #"[{"id":"v2.a"}] x"#, "\u{FEFF}[]", "[{\"id\":\"v2.a\"} /* */]",
        ] {
            #expect(site.ask("POST", path, body).status == 400, "\(body)")
        }
        #expect(site.ask("POST", path, #"[{"id":"not a topic"}]"#).status == 400)
        let many = (0...1_000).map { #"{"id":"v2.t\#($0)"}"# }.joined(separator: ",")
        #expect(site.ask("PUT", path, "[\(many)]").status == 400)
        for (method, path, allowed) in [
            ("PATCH", path, "GET, POST, PUT, DELETE"), ("DELETE", "channels", "GET, POST"),
            ("GET", "channels/\(id)", "HEAD"),
        ] {
            let answer = site.whole(method, path)
            #expect(answer.status == 405)
            #expect(answer.headers.map { "\($0.name): \($0.value)" } == ["Allow: \(allowed)"])
        }
        #expect(site.ask("GET", "channels/\(id)/elsewhere").status == 404)
        #expect(site.ask("GET", "channels/unknown/subscriptions").status == 404)
        #expect(site.ask("GET", "elsewhere").status == 404)
        #expect(site.ask("GET", "availabletopics").status == 200)
    }
}
