internal import CGenesysLoop
internal import GenesysLoop

/// Strings for a C program, valid during one call.
enum CStrings {
    /// NULL for nil.
    static func lend(_ string: String?, _ body: (UnsafePointer<CChar>?) -> Void) {
        guard let string else { return body(nil) }
        // The pointer is valid during the closure.
        unsafe string.withCString { unsafe body($0) }
    }

    /// An array of strings; NULL when there is none.
    static func lend(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Void) {
        guard !strings.isEmpty else { return body(nil) }
        // One array holds all strings and lives during the closures, with a pointer to the beginning of each string.
        let bytes = strings.flatMap { $0.utf8CString }
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return body(nil) }
            var offset = 0
            let pointers: [UnsafePointer<CChar>?] = unsafe strings.map { string in
                defer { offset += string.utf8.count + 1 }
                return unsafe base + offset
            }
            unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
        }
    }

    /// Copies of the C program's strings; nil if one is NULL or not UTF-8.
    static func copy(_ strings: UnsafePointer<UnsafePointer<CChar>?>?, count: Int) -> [String]? {
        guard count > 0 else { return [] }
        guard let strings = unsafe strings else { return nil }
        var copies: [String] = []
        for index in 0..<count {
            // The program promises that there are `count` strings.
            guard let string = unsafe strings[index], let copy = unsafe String(validatingCString: string) else {
                return nil
            }
            copies.append(copy)
        }
        return copies
    }

    /// A copy of one string; nil if it is NULL.
    static func copy(_ string: UnsafePointer<CChar>?) -> String? {
        guard let string = unsafe string else { return nil }
        // The program promises that a zero ends the string.
        return unsafe String(cString: string)
    }
}

/// A failure for a C program, valid during one call.
struct BorrowedFailure {
    private let failure: ChannelFailure

    init(_ failure: ChannelFailure) { self.failure = failure }

    func lend(_ body: (UnsafePointer<genesys_failure>?) -> Void) {
        unsafe CStrings.lend(failure.kind.rawValue) { kind in
            unsafe CStrings.lend(failure.reason.rawValue) { reason in
                unsafe CStrings.lend(failure.phase.rawValue) { phase in
                    unsafe CStrings.lend("\(failure)") { description in
                        unsafe lendAnswer { message, correlationID, location in
                            var value = unsafe genesys_failure(
                                kind: kind, reason: reason, phase: phase, description: description, message: message,
                                http_status: Int32(clamping: failure.status ?? 0),
                                is_retryable: failure.isRetryable ? 1 : 0,
                                retry_after: failure.retryAfter?.inSeconds ?? -1, correlation_id: correlationID,
                                location: location, remedy: genesys_remedy(failure.remedy))
                            unsafe body(&value)
                        }
                    }
                }
            }
        }
    }

    /// Lends the contents of the server's answer: message, correlation id and location.
    private func lendAnswer(
        _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Void
    ) {
        unsafe CStrings.lend(failure.message) { message in
            unsafe CStrings.lend(failure.correlationID) { correlationID in
                unsafe CStrings.lend(failure.location) { location in
                    unsafe body(message, correlationID, location)
                }
            }
        }
    }
}

extension genesys_bytes {
    /// Borrows the buffer.
    init(_ buffer: UnsafeBufferPointer<UInt8>) {
        unsafe self.init(data: buffer.baseAddress, size: buffer.count)
    }
}

extension genesys_time {
    init(_ time: WallTime) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}

extension genesys_remedy {
    init(_ remedy: ChannelFailure.Remedy) {
        self =
            switch remedy {
            case .retryLater: GENESYS_REMEDY_RETRY_LATER
            case .newChannel: GENESYS_REMEDY_NEW_CHANNEL
            case .newToken: GENESYS_REMEDY_NEW_TOKEN
            case .fixConfiguration: GENESYS_REMEDY_FIX_CONFIGURATION
            case .reportToPeer: GENESYS_REMEDY_REPORT_TO_PEER
            }
    }
}

extension genesys_channel_state {
    init(_ state: ChannelState) {
        self =
            switch state {
            case .idle: GENESYS_CHANNEL_IDLE
            case .connecting: GENESYS_CHANNEL_CONNECTING
            case .subscribed: GENESYS_CHANNEL_SUBSCRIBED
            case .recovering: GENESYS_CHANNEL_RECOVERING
            case .rollingOver: GENESYS_CHANNEL_ROLLING_OVER
            case .closing: GENESYS_CHANNEL_CLOSING
            case .ended: GENESYS_CHANNEL_ENDED
            }
    }
}

extension Duration {
    /// The value in seconds, as C uses it.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
