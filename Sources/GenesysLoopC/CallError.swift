internal import CGenesysLoop
internal import GenesysLoop

/// Why a call failed, as reported to the C program.
struct CallError: Error {
    let status: genesys_status
    let sentence: String

    static func argument(_ sentence: String) -> CallError {
        CallError(status: GENESYS_ERROR_ARGUMENT, sentence: sentence)
    }

    /// The status and text in C for an error of the library.
    init(_ error: any Error) {
        switch error {
        case let error as CallError: self = error
        case let failure as ChannelFailure: self.init(status: CallError.status(of: failure), sentence: "\(failure)")
        case let error as UVLoopError: self.init(status: GENESYS_ERROR_LOOP, sentence: "\(error)")
        default: self.init(status: GENESYS_ERROR_ARGUMENT, sentence: "\(error)")
        }
    }

    init(status: genesys_status, sentence: String) {
        self.status = status
        self.sentence = sentence
    }

    private static func status(of failure: ChannelFailure) -> genesys_status {
        switch failure.phase {
        case .subscribe: GENESYS_ERROR_TOPICS
        case .tls: GENESYS_ERROR_TLS
        case .proxy: GENESYS_ERROR_PROXY
        default: failure.reason == .invalidURI ? GENESYS_ERROR_URI : GENESYS_ERROR_ARGUMENT
        }
    }

    /// Runs `body` and stores a thrown error in `error`, which may be NULL.
    static func report<Value>(
        to error: UnsafeMutablePointer<genesys_error>?, _ body: () throws -> Value?
    ) -> Value? {
        do {
            let value = try body()
            // The program's struct, valid during the call.
            unsafe error?.pointee.status = GENESYS_OK
            return value
        } catch let thrown {
            unsafe CallError(thrown).write(to: error)
            return nil
        }
    }

    /// Runs `body`, stores a thrown error in `error`, and returns its status.
    static func status(
        _ error: UnsafeMutablePointer<genesys_error>?, _ body: () throws -> Void
    ) -> genesys_status {
        do {
            try body()
            // The program's struct, valid during the call.
            unsafe error?.pointee.status = GENESYS_OK
            return GENESYS_OK
        } catch let thrown {
            let failure = CallError(thrown)
            unsafe failure.write(to: error)
            return failure.status
        }
    }

    private func write(to error: UnsafeMutablePointer<genesys_error>?) {
        guard let error = unsafe error else { return }
        unsafe error.pointee.status = status
        // The program's struct, valid during the call.
        unsafe withUnsafeMutableBytes(of: &error.pointee.message) { buffer in
            var end = 0
            for scalar in sentence.unicodeScalars {
                guard let encoded = UTF8.encode(scalar), end + encoded.count < buffer.count else { break }
                for byte in encoded {
                    unsafe buffer[end] = byte
                    end += 1
                }
            }
            unsafe buffer[end] = 0
        }
    }
}
