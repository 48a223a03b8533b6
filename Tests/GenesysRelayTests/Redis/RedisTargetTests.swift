import GenesysLoop
import Testing

@testable import GenesysRelay

@Suite struct RedisTargetTests {
    @Test func `a host has a port, a database, a user and a password`() throws {
        let plain = try RedisTarget("redis://Example.com")
        #expect(plain.place == .host("example.com", name: "example.com", port: 6_379, isSecure: false))
        #expect(plain.user == nil && !plain.hasPassword && plain.database == 0)
        let full = try RedisTarget("rediss://a%40b:p%3Aw%2F@[2001:DB8::1]:7000/12")
        #expect(full.place == .host("2001:db8::1", name: "2001:db8::1", port: 7_000, isSecure: true))
        #expect(full.user == "a@b")
        #expect(full.password?.value == "p:w/")
        #expect(full.database == 12)
        let zone = try RedisTarget("redis://[fe80::1%25eth0]")
        #expect(zone.place == .host("fe80::1%eth0", name: "fe80::1", port: 6_379, isSecure: false))
        #expect(try RedisTarget("redis://:secret@h/").password?.value == "secret")
        #expect(try RedisTarget("redis://user@h").user == "user")
    }

    @Test func `a local socket has a path and a database`() throws {
        let socket = try RedisTarget("redis+unix://user:pw@/run/my%20redis/s?db=3")
        #expect(socket.place == .socket("/run/my redis/s"))
        #expect(socket.database == 3)
        #expect(socket.user == "user" && socket.password?.value == "pw")
        #expect(try RedisTarget("redis+unix:///s").database == 0)
    }

    @Test(arguments: [
        "redis://u:hunter2@host:7000/1", "rediss://:hunter2@[::1]", "redis+unix://:hunter2@/run/s?db=1",
    ])
    func `nothing that is printed has the password`(_ text: String) throws {
        let target = try RedisTarget(text)
        var dumped = ""
        dump(target, to: &dumped)
        dump(target.password, to: &dumped)
        for shown in ["\(target)", String(reflecting: target), dumped, "\(String(describing: target.password))"] {
            #expect(!shown.contains("hunter2"))
        }
        #expect(target.hasPassword)
    }

    @Test(arguments: [
        ("", "does not begin"), ("redis:host", "does not begin"), ("http://h", "does not begin"),
        ("http://h", "file:PATH, or -"),
        ("redis://", "no host"), ("redis:///1", "no host"), ("redis://h:0", "port"), ("redis://h:x", "port"),
        ("redis://h:65536", "port"), ("redis://h/x", "no number of a database"), ("redis://h/-1", "no number"),
        ("redis://h/1/2", "no number"), ("redis://h?db=1", "query"), ("redis://[::1", "bracket"),
        ("redis://[zz]", "IPv6"), ("redis://h#1", "fragment"), ("redis://a b", "space"), ("redis://hé", "beyond ASCII"),
        ("redis://u:%4@h", "%25"), ("redis://u:%FF@h", "UTF-8"), ("redis://u:%00@h", "UTF-8"),
        ("redis+unix://", "no host"), ("redis+unix://host/s", "no host"), ("redis+unix:///s?x=1", "db=N"),
        ("redis+unix:///s?db=", "db=N"), ("redis+unix:///s?db=a", "no number"),
        ("redis-sentinel://h1,h2/m", "later version"), ("nats://h", "later version"), ("kafka://b/t", "later version"),
    ])
    func `a malformed target is refused with a sentence`(_ text: String, _ words: String) {
        do throws(InvalidURI) {
            Issue.record("\(try RedisTarget(text))")
        } catch {
            #expect(error.description.contains(words), "\(error)")
            #expect(error.description.hasSuffix("."))
        }
    }
}
