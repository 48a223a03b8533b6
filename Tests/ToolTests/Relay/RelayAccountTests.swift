import Foundation
import Testing

/// `relay` with channels that the tool makes.
@Suite(.timeLimit(.minutes(patience(3)))) struct RelayAccountTests {
    @Test func `an OAuth client leads to records, and its events are those of listen`() async throws {
        try await AccountScene.with("", ["--rate", "50"]) { scene in
            let file = scene.folder.appending(path: "stream")
            let child = try Child.tool(
                ["relay", "--topic", "v2.users.A.presence", "--to", "file:\(file.path)", "--name", "t", "--events"]
                    + scene.client())
            #expect(await child.event(with: "\"subscribed\"") != nil)
            await RelayStream.wait(for: 2, in: file)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(
                try end.plot.sorted() == [
                    "channelMade", "closed", "drained", "engineConnected", "leading", "subscribed", "token",
                ])
            let stream = try RelayStream(file)
            #expect(stream.types.prefix(2) == ["epoch", "notification"])
            #expect(stream.isWhole)
        }
    }

    @Test func `more topics than one channel has are a group, and all of them are covered when all are subscribed`()
        async throws
    {
        try await AccountScene.with("", ["--rate", "50"]) { scene in
            let file = scene.folder.appending(path: "stream")
            let topics = (0..<1_200).map { "v2.routing.queues.\($0).users\n" }.joined()
            let list = scene.folder.appending(path: "topics")
            try Data(topics.utf8).write(to: list)
            let child = try Child.tool(
                [
                    "relay", "--topics-file", list.path, "--to", "file:\(file.path)", "--name", "t", "--events",
                ] + scene.client())
            for _ in 0..<2 { #expect(await child.event(with: "\"subscribed\"") != nil) }
            await RelayStream.wait(for: 2, in: file)
            child.signal(SIGTERM)
            let end = await child.end()
            #expect(end.status == 0, "\(end.errors)")
            #expect(try RelayStream(file).isWhole)
        }
    }

    @Test func `a client that is refused ends with 77, and every topic refused with 78`() async throws {
        try await AccountScene.with(#"{"at":0,"do":"set","forbiddenTopics":["v2.users.A.presence"]}"#) { scene in
            let arguments = [
                "relay", "--topic", "v2.users.A.presence", "--to", "file:\(scene.folder.path)/stream", "--name", "t",
            ]
            let refused = await (try Child.tool(arguments + scene.client())).end()
            #expect(refused.status == 78, "\(refused.errors)")
            let wrong = await
                (try Child.tool(
                    arguments + scene.place + ["--client-id", "x", "--client-secret-file", try scene.file("wrong")]))
                .end()
            #expect(wrong.status == 77, "\(wrong.errors)")
        }
    }
}
