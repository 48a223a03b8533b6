@testable import GenesysLoop

/// The next action of a scripted server. Its output is collected and sent as one write before the next step that waits,
/// so that a script decides what shares a segment.
///
/// Sendable, so that it can be an argument of a test: captured values stay on the loop of that test.
enum Step: @unchecked Sendable {
    /// Reads nothing from the socket, not even a TLS handshake. Must be the first step.
    case deaf
    /// Waits for the upgrade request.
    case request
    /// Accepts it.
    case accept
    /// Waits for a message, a pong, a Close frame, the end of the client's output.
    case message, pong, closeFrame, clientEnd
    /// Confirms the latest subscription.
    case confirm
    /// A notification with a running number.
    case notify(Int)
    case text(String)
    case frame(Opcode, [UInt8])
    case close(CloseCode?, String)
    /// Plaintext, unchanged.
    case bytes([UInt8])
    /// Bypasses TLS.
    case bare([UInt8])
    /// Sends what was collected and continues at a later turn of the loop.
    case turn
    case stopReading, startReading
    case act(() -> Void)
    /// Waits for a condition that input causes.
    case until(() -> Bool)
    case closeNotify
    /// FIN, after the output.
    case fin
    /// RST.
    case reset

    /// Up to an accepted upgrade.
    static let upgrade: [Step] = [.request, .accept]
    /// Up to a confirmed subscription.
    static let subscription: [Step] = upgrade + [.message, .confirm]
    /// Answers the client's Close frame and ends the connection cleanly.
    static let goodbye: [Step] = [.closeFrame, .close(.normal, ""), .closeNotify, .fin]

    /// A frame that may break the rules.
    static func frame(first: UInt8, second: UInt8, _ payload: [UInt8] = []) -> Step {
        .bytes([first, second] + payload)
    }
}

/// The text of a notification with a running number.
func notification(_ number: Int, padding: Int = 0) -> String {
    let text = String(repeating: "x", count: padding)
    return #"{"topicName":"v2.users.ID.presence","eventBody":{"n":\#(number),"text":"\#(text)"}}"#
}

/// An unmasked frame of a server.
func serverFrame(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
    var bytes: [UInt8] = []
    FrameEncoder.append(opcode, isFinal: isFinal, payload: payload, maskingKey: nil, to: &bytes)
    return bytes
}
