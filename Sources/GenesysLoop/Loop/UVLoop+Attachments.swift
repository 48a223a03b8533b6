extension UVLoop {
    /// What upper layers share between all that is on the loop under `key`, for example a TLS context; made when it is
    /// missing, and freed with the loop.
    ///
    /// - Parameter isUsable: whether what is there will do; what is made instead takes its place.
    package func shared<Value: AnyObject, Failure: Error>(
        _ key: some Hashable, where isUsable: (Value) -> Bool = { _ in true }, make: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        if let kept = attachments[key] as? Value, isUsable(kept) { return kept }
        let made = try make()
        attachments[key] = made
        return made
    }
}
