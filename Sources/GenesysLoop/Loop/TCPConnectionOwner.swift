/// Who hears from a `TCPConnection`.
///
/// Every call comes inside a pass of the loop.
///
/// `connection(_:didFailToConnect:)`, `connection(_:didFailWith:)` and the owner's own `close()` or `abort()` are
/// terminal: nothing follows them. Every call to the connection is legal in every one of these, and so is dropping the
/// last reference to it.
package protocol TCPConnectionOwner: AnyObject {
    /// The connection is established.
    func connectionDidConnect(_ connection: TCPConnection)

    /// It could not be established. Terminal.
    func connection(_ connection: TCPConnection, didFailToConnect error: UVError)

    /// Bytes arrived, at most 64 KiB. They are valid during the call only.
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer)

    /// The peer will send no more; writing is still possible.
    func connectionDidReachEOF(_ connection: TCPConnection)

    /// Reading or writing failed. Terminal. What the peer sent before has been read, if reading was on.
    func connection(_ connection: TCPConnection, didFailWith error: UVError)

    /// Of the bytes that had to be queued no more than `lowWaterMark` are left, or none.
    ///
    /// It comes once for each of the two.
    func connectionDidDrain(_ connection: TCPConnection)
}

/// For an owner that is given connections which are established.
extension TCPConnectionOwner {
    package func connectionDidConnect(_ connection: TCPConnection) {}
    package func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {}
}
