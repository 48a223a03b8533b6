/// The files that the TLS configurations in use on a loop name.
package struct TLSFiles: Sendable {
    /// What was read, for `UVLoop.use(_:)`.
    @safe package struct Contents: Sendable {
        // Made by the thread that reads, which keeps no reference, and used once, by the loop's thread.
        nonisolated(unsafe) let materials: [ClientMaterial]
    }

    let configurations: [TLSConfiguration]

    /// Whether no configuration is in use: nothing on the loop is encrypted.
    package var isEmpty: Bool { configurations.isEmpty }

    /// Reads them. Any thread; may block. The passphrase of a key is asked for on this thread.
    ///
    /// - Throws: as `UVLoop.reloadTLS()`, if any file cannot be used.
    package func read() throws(ChannelFailure) -> Contents {
        do throws(TLSError) {
            var materials: [ClientMaterial] = []
            for configuration in configurations { materials.append(try ClientMaterial(configuration)) }
            return Contents(materials: materials)
        } catch {
            throw ChannelFailure(.tls(error, during: .tls))
        }
    }
}
