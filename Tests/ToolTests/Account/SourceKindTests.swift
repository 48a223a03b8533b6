import ArgumentParser
import Testing

@testable import genesys_loop

/// Which source is meant by what the command line and the environment give.
@Suite struct SourceKindTests {
    private typealias Parts = SourceKind.Parts

    private static let client: Parts = [.region, .clientID, .clientSecret]
    private static let token: Parts = [.region, .accessToken]
    private static let bases: Parts = [.loginBase, .apiBase]

    static let found: [(SourceKind.Parts, SourceKind.Parts, SourceKind)] = [
        (.uri, [], .uri), ([], .uri, .uri), (client, [], .client), ([], client, .client), (token, [], .token),
        ([], token, .token),
        // One client from both.
        ([.region], [.clientID, .clientSecret], .client), ([.clientID], [.region, .clientSecret], .client),
        ([.clientSecret, .region], [.clientID], .client), ([.accessToken], [.region], .token),
        ([.region], [.accessToken], .token),
        // Bases in place of a region.
        (bases.union([.clientID, .clientSecret]), [], .client), (bases, [.clientID, .clientSecret], .client),
        ([.apiBase, .accessToken], [], .token), (bases.union(client), [], .client),
        // An argument wins.
        (.uri, client, .uri), (.uri, token, .uri), (client, .uri, .client), (client, token, .client),
        (token, client, .token), ([.clientID], client.union(.uri).union(.accessToken), .client),
        ([.accessToken], client.union(.uri), .token), ([.region], [.uri, .accessToken], .token),
        (bases, [.uri, .clientID, .clientSecret], .client), ([.tokenCache], client.union(.uri), .client),
        // A part of a client is no second source of the environment, nor is a region.
        ([], [.uri, .clientID], .uri), ([], [.uri, .region], .uri), ([], [.uri, .clientID, .clientSecret], .uri),
        ([], [.uri, .accessToken], .uri), ([], token.union(.clientID), .token),
        (client.union(.tokenCache), [], .client),
    ]

    @Test(arguments: found)
    func `one source is found, an argument before the environment`(
        arguments: SourceKind.Parts, environment: SourceKind.Parts, kind: SourceKind
    ) throws {
        #expect(try SourceKind(arguments: arguments, environment: environment) == kind)
    }

    static let refused: [(SourceKind.Parts, SourceKind.Parts, [String])] = [
        ([], [], ["No channel", "--uri-file", "--client-id", "--access-token-file"]),
        ([], .region, ["No channel"]),
        // Two.
        ([.uri, .clientID], [], ["one source", "a URI and an OAuth client"]),
        ([.uri, .accessToken], [], ["one source", "a URI and a token"]),
        (client.union(.accessToken), [], ["one source", "an OAuth client and a token"]),
        ([.clientID, .accessToken], client, ["one source"]),
        ([], client.union(.uri), ["environment gives two", "a URI and an OAuth client"]),
        ([], client.union(.accessToken), ["environment gives two", "an OAuth client and a token"]),
        ([], token.union(.uri), ["environment gives two", "a URI and a token"]),
        ([.region], [.clientID, .clientSecret, .accessToken], ["environment gives two"]),
        // Parts.
        ([.clientID, .region], [], ["OAuth client lacks its secret", "--client-secret-file", "OAUTHCLIENT_SECRET"]),
        ([.clientSecret, .region], [], ["OAuth client lacks its id", "--client-id", "OAUTHCLIENT_ID"]),
        ([.clientID, .clientSecret], [], ["OAuth client lacks its region", "--region", "GENESYSCLOUD_REGION"]),
        ([.clientID], [], ["its secret", "and its region"]), ([], [.region, .clientID], ["lacks its secret"]),
        ([], [.region, .clientSecret], ["lacks its id"]), ([], [.clientID, .clientSecret], ["lacks its region"]),
        ([.clientID], [.uri], ["lacks its secret"]), ([.clientID, .region], token, ["lacks its secret"]),
        ([.clientID, .clientSecret, .apiBase], [], ["lacks its region"]),
        ([.accessToken], [], ["The token lacks its region"]), ([], [.accessToken], ["The token lacks its region"]),
        ([.accessToken, .loginBase], [], ["The token lacks its region"]),
        // Without credentials.
        ([.region], [], ["A region without credentials"]), ([.region], [.uri], ["A region without credentials"]),
        (bases, [], ["A region without credentials"]), ([.tokenCache], [.uri], ["A region without credentials"]),
        // What does not belong together.
        ([.uri, .region], [], ["--region", "a URI needs none"]), ([.uri, .apiBase], [], ["a URI needs none"]),
        ([.uri, .tokenCache], [], ["--token-cache is for an OAuth client"]),
        (token.union(.tokenCache), [], ["--token-cache is for an OAuth client"]),
    ]

    @Test(arguments: refused)
    func `none, two, or a part of one is refused with what is missing`(
        arguments: SourceKind.Parts, environment: SourceKind.Parts, words: [String]
    ) throws {
        let error = try #require(throws: ValidationError.self) {
            try SourceKind(arguments: arguments, environment: environment)
        }
        for word in words { #expect(error.message.contains(word), "\(error.message)") }
    }
}
