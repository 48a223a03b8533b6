/// Which calls may run: a limited number for each host.
///
/// Pure: a call is its identity.
struct HostTurns {
    private var running: [String: Set<ObjectIdentifier>] = [:]
    private var waiting: [String: [ObjectIdentifier]] = [:]

    /// - Returns: whether the call runs; otherwise it waits.
    mutating func enter(_ call: ObjectIdentifier, host: String) -> Bool {
        guard running[host, default: []].count < HTTPEngine.maxCountPerHost else {
            waiting[host, default: []].append(call)
            return false
        }
        running[host, default: []].insert(call)
        return true
    }

    /// A call has ended, running or waiting.
    ///
    /// - Returns: the call that runs in its place.
    mutating func leave(_ call: ObjectIdentifier, host: String) -> ObjectIdentifier? {
        guard running[host]?.remove(call) != nil else {
            waiting[host]?.removeAll { $0 == call }
            return nil
        }
        guard waiting[host]?.isEmpty == false, let next = waiting[host]?.removeFirst() else {
            if running[host]?.isEmpty == true { running[host] = nil }
            waiting[host] = nil
            return nil
        }
        running[host]?.insert(next)
        return next
    }
}
