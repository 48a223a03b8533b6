// Key material in memory is never printed, and certificates in memory are counted: neither says anything as numbers.

extension ClientIdentity.Source: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path of a file, or the number of bytes in memory.
    public var description: String {
        switch self {
        case .file(let path): "file “\(path)”"
        case .pem(let pem): "PEM of \(pem.count) bytes"
        case .contents(let pem, let path): "\(pem.count) bytes of the file “\(path)”"
        }
    }

    /// As `description`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension TLSConfiguration.Trust: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The system's store, the path of a file or folder, or the number of bytes in memory.
    public var description: String {
        switch self {
        case .system: "the system's store"
        case .file(let path): "file “\(path)”"
        case .directory(let path): "folder “\(path)”"
        case .pem(let pem): "PEM of \(pem.count) bytes"
        case .contents(let pem, let path): "\(pem.count) bytes of the file “\(path)”"
        }
    }

    /// As `description`.
    public var debugDescription: String { description }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension PrivateKeyPassphrase: CustomReflectable {
    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
