/// Writes one compact JSON object, its members in the order in which they are added (RFC 8259 §4).
struct JSONObject {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// Adds a string, or nothing for `nil`.
    mutating func add(_ key: String, _ value: String?) {
        guard let value else { return }
        add(key, json: JSONObject.quoted(JSONObject.escaped(value)))
    }

    /// Adds an array of strings.
    mutating func add(_ key: String, _ values: [String]) {
        var array: [UInt8] = [UInt8(ascii: "[")]
        for (index, value) in values.enumerated() {
            if index > 0 { array.append(UInt8(ascii: ",")) }
            array += JSONObject.quoted(JSONObject.escaped(value))
        }
        array.append(UInt8(ascii: "]"))
        add(key, json: array)
    }

    /// Adds a value that is JSON already.
    mutating func add(_ key: String, json: [UInt8]) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes += JSONObject.quoted(Array(key.utf8))
        bytes.append(UInt8(ascii: ":"))
        bytes += json
    }

    /// The whole object.
    func finished() -> [UInt8] {
        bytes + [UInt8(ascii: "}")]
    }

    static func quoted(_ escaped: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        return [quote] + escaped + [quote]
    }

    /// The text between the quotation marks of a JSON string (RFC 8259 §7).
    static func escaped(_ text: String) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                result += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                result += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default:
                result.append(byte)
            }
        }
        return result
    }
}
