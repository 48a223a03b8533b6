/// The owner of a `TCPConnection`.
///
/// Every call comes inside a pass of the loop.
///
/// `connection(_:didFailToConnect:)`, `connection(_:didFailWith:)` and the owner's own `close()` or `abort()` are
/// terminal: nothing follows them. In all of these calls the owner may call the connection and drop the last reference
/// to it.
package protocol TCPConnectionOwner: AnyObject {
    /// The connection is established.
    func connectionDidConnect(_ connection: TCPConnection)

    /// The connection could not be established. Terminal.
    func connection(_ connection: TCPConnection, didFailToConnect error: UVError)

    /// Bytes arrived, at most 64 KiB. They are valid during the call only.
    func connection(_ connection: TCPConnection, didRead bytes: UnsafeRawBufferPointer)

    /// The peer has ended its output; writing is still possible.
    func connectionDidReachEOF(_ connection: TCPConnection)

    /// Reading or writing failed. Terminal. If reading was on, all that the peer sent before has been read.
    func connection(_ connection: TCPConnection, didFailWith error: UVError)

    /// The queue has shrunk to `lowWaterMark` or is empty. Comes once for each of the two.
    func connectionDidDrain(_ connection: TCPConnection)
}

/// For owners that receive established connections.
extension TCPConnectionOwner {
    package func connectionDidConnect(_ connection: TCPConnection) {}
    package func connection(_ connection: TCPConnection, didFailToConnect error: UVError) {}
}
