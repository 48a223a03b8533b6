/// Writes one compact JSON object, its members in the order in which they are added (RFC 8259 §4).
package struct JSONObject {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// An object without members.
    package init() {}

    /// Adds a string, or nothing for `nil`.
    package mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        begin(name)
        JSONText.append(value, to: &bytes)
    }

    /// Adds a whole number.
    package mutating func add(_ name: String, _ value: Int) {
        add(name, json: String(value).utf8)
    }

    /// Adds an array of strings.
    package mutating func add(_ name: String, _ values: some Sequence<String>) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for value in values {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONText.append(value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Adds a duration as a number of seconds.
    package mutating func add(_ name: String, seconds: Duration) {
        add(name, json: seconds.secondsText.utf8)
    }

    /// Adds a value that is JSON already.
    package mutating func add(_ name: String, json: some Sequence<UInt8>) {
        begin(name)
        bytes.append(contentsOf: json)
    }

    /// The whole object.
    package func finished() -> [UInt8] {
        bytes + [UInt8(ascii: "}")]
    }

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }
}
