#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A thread that is never joined. It ends with its work or with the process, and gets no signal that ends the process.
@safe package enum DetachedThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Starts a thread that runs `body`.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(SystemCalls.Failure) {
        let work = unsafe Unmanaged.passRetained(Work(body))
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        // The thread takes ownership of the retained work; the variable is valid during the call.
        let code = Signals.blocked {
            unsafe pthread_create(
                &thread, nil,
                { argument in
                    unsafe DetachedThread.run(argument)
                    return nil
                }, work.toOpaque())
        }
        guard code == 0 else {
            unsafe work.release()
            throw SystemCalls.Failure("a thread", code: code)
        }
        #if canImport(Darwin)
        if let thread = unsafe thread { _ = unsafe pthread_detach(thread) }
        #else
        _ = pthread_detach(thread)
        #endif
    }

    private static func run(_ argument: UnsafeMutableRawPointer?) {
        guard let argument = unsafe argument else { return }
        // Retained for this thread by `start`.
        unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
    }
}
