extension StringProtocol {
    /// Whether both are the same bytes of UTF-8.
    ///
    /// `==` also holds for texts that are canonically equivalent (Unicode 16 §2.12), such as `é` in one code point and in
    /// two, or the Kelvin sign and `K`. To a peer and to a file system they differ: use this where the text is a name.
    package func isExactly(_ other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}
