import GenesysLoop

extension JSONObject {
    /// Adds every member by its name. Times are in seconds; unknown values are left out.
    mutating func add(_ statistics: ChannelStatistics) {
        for (name, value) in Mirror(reflecting: statistics).children {
            guard let name else { continue }
            switch value {
            case let count as Int: add(name, count)
            case let duration as Duration: add(name, seconds: duration)
            case let state as ChannelState: add(name, state.rawValue)
            case let counts as [FailureReason: Int]: add(name, counts) { $0.add($1, $2) }
            case let times as [FailureReason: Duration]: add(name, times) { $0.add($1, seconds: $2) }
            case let histogram as DurationHistogram: add(name, histogram)
            default: break
            }
        }
    }

    private mutating func add<Value>(
        _ name: String, _ values: [FailureReason: Value], _ addValue: (inout JSONObject, String, Value) -> Void
    ) {
        var object = JSONObject()
        for (reason, value) in values.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            addValue(&object, reason.rawValue, value)
        }
        add(name, json: object.finished())
    }

    private mutating func add(_ name: String, _ histogram: DurationHistogram) {
        var object = JSONObject()
        object.add("count", histogram.count)
        object.add("sum", seconds: histogram.sum)
        add(name, json: object.finished())
    }
}
