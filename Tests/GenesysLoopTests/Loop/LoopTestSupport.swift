import CUV
import Foundation
import Synchronization

@testable import GenesysLoop
@testable import ServerKit

/// A task made of a closure.
final class ClosureTask: LoopTask {
    private let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
    func runTask() { body() }
}

/// Keeps a loop running until it is ended.
final class Anchor {
    private let loop: UVLoop
    init(_ loop: UVLoop) {
        self.loop = loop
        loop.retain(self)
    }
    func end() { loop.release(self) }
}

/// A timer owner made of a closure; owns its timer.
final class TimerProbe: TimerOwner {
    private(set) var timer: GenesysLoop.Timer?
    var didFire: (TimerProbe) -> Void
    init(_ loop: UVLoop, group: HandleGroup? = nil, didFire: @escaping (TimerProbe) -> Void) {
        self.didFire = didFire
        timer = GenesysLoop.Timer(loop: loop, group: group ?? HandleGroup(loop: loop), owner: self)
    }
    deinit { timer?.close() }
    func start(after delay: Duration) {
        guard let timer else { return }
        timer.start(at: timer.loop.now.instant + delay)
    }
    func drop() { timer = nil }
    func timerDidFire(_ timer: GenesysLoop.Timer) { didFire(self) }
}

/// A connection owner that writes a transcript and forwards to closures; owns its connection.
final class ConnectionProbe: TCPConnectionOwner {
    enum Event: Equatable {
        case connected, connectFailed(String), eof, failed(String), drained
    }

    var connection: TCPConnection?
    var events: [Event] = []
    var received: [UInt8] = []
    var didConnect: (ConnectionProbe) -> Void = { _ in }
    var didRead: (ConnectionProbe) -> Void = { _ in }
    var didEnd: (ConnectionProbe) -> Void = { _ in }
    var didDrain: (ConnectionProbe) -> Void = { _ in }

    init(_ connection: TCPConnection) {
        self.connection = connection
        unsafe connection.owner = self
    }

    /// Releases what the closures captured.
    func forget() {
        didConnect = { _ in }
        didRead = { _ in }
        didEnd = { _ in }
        didDrain = { _ in }
    }

    convenience init(_ loop: UVLoop, group: HandleGroup? = nil) {
        self.init(TCPConnection(loop: loop, group: group ?? HandleGroup(loop: loop)))
    }

    deinit { connection?.close() }

    func connectionDidConnect(_ connection: TCPConnection) {
        events.append(.connected)
        didConnect(self)
    }

    func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {
        events.append(.connectFailed(error.name))
        didEnd(self)
    }

    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer) {
        // One copy of memory: appending byte by byte takes seconds without optimization.
        let start = received.count
        received += [UInt8](repeating: 0, count: bytes.count)
        unsafe received.withUnsafeMutableBytes { target in
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...]).copyMemory(from: bytes)
        }
        didRead(self)
    }

    func connectionDidReachEOF(_ connection: TCPConnection) {
        events.append(.eof)
        didEnd(self)
    }

    func connection(_ connection: TCPConnection, didFailWith error: UVError) {
        events.append(.failed(error.name))
        didEnd(self)
    }

    func connectionDidDrain(_ connection: TCPConnection) {
        events.append(.drained)
        didDrain(self)
    }
}

/// A listener on a free loopback port.
final class ListenerProbe: TCPListenerOwner {
    private(set) var listener: TCPListener?
    var accepted: [ConnectionProbe] = []
    var didAccept: (ListenerProbe, ConnectionProbe) -> Void = { _, _ in }
    var failures: [UVError] = []

    init(_ loop: UVLoop, host: String = "127.0.0.1") throws {
        let listener = TCPListener(loop: loop, group: HandleGroup(loop: loop))
        unsafe listener.owner = self
        try listener.bind(host: host)
        self.listener = listener
    }

    deinit { listener?.close() }

    var address: SocketAddress {
        get throws {
            guard let address = listener?.localAddress else { throw UVError(operation: "test", code: -1) }
            return address
        }
    }

    func close() { listener?.close() }

    func listener(_ listener: TCPListener, didAccept connection: TCPConnection) {
        let probe = ConnectionProbe(connection)
        accepted.append(probe)
        didAccept(self, probe)
    }

    func listener(_ listener: TCPListener, didFailWith error: UVError) { failures.append(error) }
}

/// Two connected ends on one loop, made by running it.
struct ConnectedPair {
    let client: ConnectionProbe
    let server: ConnectionProbe

    init(_ loop: UVLoop, drive: LoopDrive = .own) throws {
        let listener = try ListenerProbe(loop)
        let client = ConnectionProbe(loop)
        client.connection?.connect(to: try listener.address)
        var seen = 0
        let step = {
            seen += 1
            if seen == 2 { drive.stop(loop) }
        }
        client.didConnect = { _ in step() }
        listener.didAccept = { _, _ in step() }
        drive.run(loop) { seen == 2 }
        client.didConnect = { _ in }
        guard let server = listener.accepted.first else { throw UVError(operation: "test", code: -1) }
        listener.close()
        client.events = []
        self.client = client
        self.server = server
    }
}

/// A resolution owner that keeps what it receives.
final class ResolutionProbe: ResolutionOwner {
    var found: [SocketAddress] = []
    /// The families in the order of their answers.
    var families: [AddressFamily] = []
    var error: ResolverError?
    /// How many lookups have ended.
    var endCount = 0
    var didHear: () -> Void = {}
    var didEnd: () -> Void = {}

    func resolution(
        _ resolution: Resolution, didEnd family: AddressFamily, with result: Result<[SocketAddress], ResolverError>
    ) {
        families.append(family)
        switch result {
        case .success(let addresses): found += addresses
        case .failure(let failure): error = failure
        }
        if resolution.isOver { endCount += 1 }
        didHear()
        if resolution.isOver { didEnd() }
    }
}

/// A gate in which a resolver thread can be stuck.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func wait(_ count: Int = 1) { for _ in 0..<count { semaphore.wait() } }
    func open(_ count: Int = 1) { for _ in 0..<count { semaphore.signal() } }
}

/// A loop of "the host", with its own timer and pipe.
@safe final class ForeignLoop {
    let raw: UnsafeMutablePointer<uv_loop_t>
    private let timer: UnsafeMutablePointer<uv_timer_t>
    private let pipe: UnsafeMutablePointer<uv_pipe_t>

    init() {
        unsafe raw = .allocate(capacity: 1)
        unsafe timer = .allocate(capacity: 1)
        unsafe pipe = .allocate(capacity: 1)
        unsafe uv_loop_init(raw)
        unsafe uv_timer_init(raw, timer)
        unsafe uv_pipe_init(raw, pipe, 0)
    }

    deinit {
        unsafe raw.deallocate()
        unsafe timer.deallocate()
        unsafe pipe.deallocate()
    }

    /// Whether handles or requests are still alive after running to the end.
    func run() -> Bool { unsafe uv_run(raw, UV_RUN_DEFAULT) != 0 }
    func runOnce() { unsafe _ = uv_run(raw, UV_RUN_NOWAIT) }
    func stop() { unsafe uv_stop(raw) }

    /// The number of handles on the loop other than the host's own two.
    var strangeHandleCount: Int {
        var handles: [UnsafeMutablePointer<uv_handle_t>] = unsafe []
        unsafe withUnsafeMutablePointer(to: &handles) { list in
            unsafe uv_walk(
                raw,
                { handle, list in
                    guard let handle = unsafe handle else { return }
                    unsafe list?.assumingMemoryBound(to: [UnsafeMutablePointer<uv_handle_t>].self).pointee
                        .append(handle)
                }, list)
        }
        return unsafe handles.count - 2
    }

    /// Closes the host's own handles, then the loop.
    func close() -> Int32 {
        unsafe uv_close(UnsafeMutableRawPointer(timer).assumingMemoryBound(to: uv_handle_t.self), nil)
        unsafe uv_close(UnsafeMutableRawPointer(pipe).assumingMemoryBound(to: uv_handle_t.self), nil)
        unsafe uv_run(raw, UV_RUN_DEFAULT)
        return unsafe uv_loop_close(raw)
    }
}

/// A counter other threads may touch.
final class Tally: Sendable {
    private let count = Atomic<Int>(0)
    @discardableResult func add() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
}

/// A class that counts its deallocated instances.
final class Mortal {
    private let deaths: Tally
    init(_ deaths: Tally) { self.deaths = deaths }
    deinit { deaths.add() }
}

/// Runs `body` on another thread and waits for its end.
func onOtherThread(_ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        body()
        done.signal()
    }
    thread.start()
    done.wait()
}
