import GenesysLoop
import Testing

@testable import GenesysPlatform

@Suite struct PlatformRegionTests {
    @Test(
        arguments: [
            ("mypurecloud.ie", "mypurecloud.ie"), ("eu-west-1", "mypurecloud.ie"), ("EU-Central-1", "mypurecloud.de"),
            ("us-east-1", "mypurecloud.com"), ("eusc-de-east-1", "edee1.eusc-pure.cloud"),
            ("me-central-1", "mec1.pure.cloud"), ("new1.pure.cloud", "new1.pure.cloud"),
        ])
    func `a region is a domain or a name of AWS`(name: String, domain: String) throws {
        let region = try PlatformRegion(name)
        #expect(region.login?.text == "https://login.\(domain)")
        #expect(region.api.text == "https://api.\(domain)")
    }

    @Test(arguments: ["frankfurt", "us_east_1", "", "mypurecloud", "https://api.mypurecloud.de", "a b.de", "x.de/y"])
    func `a name that is neither is an error that says what to give`(name: String) throws {
        let failure = #expect(throws: ChannelFailure.self) { try PlatformRegion(name) }
        #expect(failure?.reason == .invalidURI)
        #expect(failure.map { "\($0)".contains("mypurecloud.de") } == true)
    }

    @Test func `base URLs replace the hosts, with or without a region`() throws {
        let region = try PlatformRegion("mypurecloud.de", apiBase: "https://Gateway.example:8443/genesys/")
        #expect(region.login?.text == "https://login.mypurecloud.de")
        #expect(region.api.url("/api/v2/x") == "https://gateway.example:8443/genesys/api/v2/x")
        let alone = try PlatformRegion(apiBase: "http://127.0.0.1:8080")
        #expect(alone.login == nil)
        #expect(alone.api.url("/a") == "http://127.0.0.1:8080/a")
        #expect(throws: ChannelFailure.self) { try PlatformRegion(loginBase: "https://login.example") }
        #expect(throws: ChannelFailure.self) { try PlatformRegion() }
    }

    @Test(
        arguments: [
            ("http://gateway.example", "http:// is accepted for this machine only"),
            ("wss://gateway.example", "begins with https://"), ("gateway.example", "begins with https://"),
            ("https://gateway.example/?a=b", "no query"), ("https://user@gateway.example", "user information"),
            ("https://", "no host"),
        ])
    func `a base URL that cannot be used is refused with a sentence`(text: String, words: String) throws {
        let failure = #expect(throws: ChannelFailure.self) { try PlatformURL(text) }
        #expect(failure.map { "\($0)".contains(words) } == true, "\(String(describing: failure))")
    }
}
