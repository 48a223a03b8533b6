import GenesysLoop
import Testing

@testable import GenesysRelay

@Suite struct RelayBatchTests {
    @Test func `a record has the fields of the contract, in their order`() {
        var stage = RelayStage.leading()
        let topic = Array("v2.users.1.presence".utf8)
        let correlation = Array("c-1".utf8)
        let data = Array("{\"topicName\":\"v2.users.1.presence\",\n\"eventBody\":{}}".utf8)
        stage.seconds = 0.123_456_789
        _ = stage.machine.received(topic: topic.span, correlation: correlation.span, data: data.span, now: stage.now)
        stage.actions = stage.machine.takeActions()
        guard case .append(let range) = stage.actions.first else {
            Issue.record("\(stage.actions)")
            return
        }
        let batch = stage.machine.batch(range)
        let record = batch.records[0]
        let fields = RelayBatch.Field.allCases.map { "\($0)=\(batch.text(of: $0, in: record) ?? "-")" }
        #expect(
            fields == [
                "id=1900000000.00000000000000000002", "type=genesys.notification", "topic=v2.users.1.presence",
                "time=2030-03-17T17:46:40.123456Z", "source=genesys/test", "correlation=c-1",
                "data={\"topicName\":\"v2.users.1.presence\",\n\"eventBody\":{}}",
            ])
        var line: [UInt8] = []
        batch.appendLines(to: &line)
        #expect(
            String(decoding: line, as: UTF8.self) == """
                {"id":"1900000000.00000000000000000002","type":"genesys.notification","topic":"v2.users.1.presence",\
                "time":"2030-03-17T17:46:40.123456Z","source":"genesys/test","correlation":"c-1",\
                "data":{"topicName":"v2.users.1.presence", "eventBody":{}}}

                """)
    }

    @Test func `an id is read as it is written, and nothing else is`() {
        let id = RecordID(epoch: 17, sequence: 42_133)
        #expect(id.description == "17.00000000000000042133")
        #expect(RecordID(id.description) == id)
        for text in ["", "17", "17.42133", "x.00000000000000042133", "17.0000000000000004213x"] {
            #expect(RecordID(text) == nil)
        }
    }

    @Test(arguments: [
        (0, "2030-03-17T17:46:40.000000Z"), (999, "2030-03-17T17:46:40.000000Z"),
        (1_000, "2030-03-17T17:46:40.000001Z"), (7_000_000, "2030-03-17T17:46:40.007000Z"),
        (999_999_999, "2030-03-17T17:46:40.999999Z"),
    ])
    func `times have microseconds`(nanoseconds: Int32, text: String) {
        #expect(WallTime(seconds: 1_900_000_000, nanoseconds: nanoseconds).microsecondText == text)
    }
}
