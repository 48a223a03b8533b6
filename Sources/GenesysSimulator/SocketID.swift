extension SimulatedService {
    /// Names one accepted socket.
    ///
    /// An id is never used again.
    public struct SocketID: Hashable, Sendable, CustomStringConvertible {
        let number: Int

        /// `#1` for the first socket of a service.
        public var description: String { "#\(number)" }
    }
}
