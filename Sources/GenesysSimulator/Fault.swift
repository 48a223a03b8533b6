extension SimulatedService {
    /// A disturbance of requests to the REST side.
    public struct Fault: Hashable, Sendable {
        /// The end of the path, in whole parts, with `{id}` for the id of a channel: `subscriptions`, `channels/{id}`,
        /// `oauth/token`; nil for every path.
        public var path: String?
        /// The method of the request; nil for every method.
        public var method: String?
        /// How many matching requests pass before the first that is disturbed; default none.
        public var skipCount = 0
        /// How many requests are disturbed; nil for all from now on; default nil.
        public var count: Int?
        /// The time before the answer; not scaled; default none.
        public var delay: Duration = .zero
        /// The answer.
        public var answer: Answer
        /// Whether the request does what it asks for.
        public var takesEffect: Bool

        /// The answer to a disturbed request.
        public enum Answer: Hashable, Sendable {
            /// As without the fault.
            case honest
            /// An error, in the shape of the endpoint.
            case refuse(Refusal)
            /// Any other status and body, without regard to the endpoint.
            case raw(status: Int, headers: [Refusal.Header], contentType: String, body: [UInt8])
            /// None; the connection stays open.
            case never
            /// A TCP reset.
            case reset
            /// None; the connection ends.
            case close
            /// As without the fault; then a connection ends that the answer promised to keep.
            case closeKept
            /// The first half of the body; then the connection ends.
            case truncate

            /// The page of a gateway.
            public static func html(status: Int = 502) -> Answer {
                let page = "<!DOCTYPE html><html><head><title>Error</title></head><body>Bad gateway</body></html>"
                return .raw(status: status, headers: [], contentType: "text/html", body: Array(page.utf8))
            }

            /// No body.
            public static func empty(status: Int = 200) -> Answer {
                .raw(status: status, headers: [], contentType: "", body: [])
            }

            /// A body of JSON.
            public static func json(status: Int, _ body: [UInt8]) -> Answer {
                .raw(status: status, headers: [], contentType: "application/json", body: body)
            }

            /// 302 to another address.
            public static func redirect(to location: String) -> Answer { .refuse(.found(at: location)) }
        }

        /// Creates a fault.
        ///
        /// The request takes effect if its answer is made (`honest`, `closeKept`, `truncate`), or is lost (`close`).
        public init(path: String? = nil, method: String? = nil, answer: Answer) {
            self.path = path
            self.method = method
            self.answer = answer
            switch answer {
            case .honest, .close, .closeKept, .truncate: takesEffect = true
            case .refuse, .raw, .never, .reset: takesEffect = false
            }
        }

        /// Whether a request can have this path.
        public var isPossible: Bool { RESTRoute.all.contains { isOf($0) } }

        func matches(_ route: RESTRoute, _ method: String) -> Bool {
            (self.method == nil || self.method == method) && isOf(route)
        }

        private func isOf(_ route: RESTRoute) -> Bool {
            guard let parts = path?.split(separator: "/") else { return true }
            return !parts.isEmpty && route.template.split(separator: "/").suffix(parts.count) == parts[...]
        }
    }
}

// Faults of the REST side.
extension SimulatedService {
    /// Disturbs requests to the REST side from now on.
    ///
    /// A fault replaces one of the same path and method; one that changes nothing, `.honest` without a delay, only
    /// removes it. The first that matches a request applies.
    public mutating func install(_ fault: Fault) {
        faults.removeAll { $0.path == fault.path && $0.method == fault.method }
        if fault.answer != .honest || fault.delay > .zero || !fault.takesEffect { faults.append(fault) }
    }

    /// The fault that applies to a request, and counts it.
    mutating func fault(for route: RESTRoute, _ method: String) -> Fault? {
        guard route != .requests, let index = faults.firstIndex(where: { $0.matches(route, method) }) else {
            return nil
        }
        if faults[index].skipCount > 0 {
            faults[index].skipCount -= 1
            return nil
        }
        let fault = faults[index]
        guard let count = fault.count else { return fault }
        faults[index].count = count - 1
        if count <= 1 { faults.remove(at: index) }
        return count > 0 ? fault : nil
    }
}
