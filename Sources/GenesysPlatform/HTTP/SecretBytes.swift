internal import CCurl

/// Bytes that must not leak: a token, the secret of an OAuth client, the body of an answer.
///
/// No printed form holds them, and the memory is overwritten when the last reference is dropped.
@safe package final class SecretBytes: Sendable {
    // Allocated before, written before the object exists, freed in `deinit`.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer
    /// How many bytes there are; the memory may be larger.
    package let count: Int

    /// Copies bytes.
    package init(copying bytes: some Collection<UInt8>) {
        count = bytes.count
        unsafe memory = .allocate(byteCount: bytes.count, alignment: 1)
        // The memory has room for all of the bytes.
        unsafe memory.copyBytes(from: bytes)
    }

    /// Copies the UTF-8 of a text.
    package convenience init(_ text: String) {
        self.init(copying: text.utf8)
    }

    /// A secret with something before it, for example the scheme of an `Authorization` header.
    package convenience init(prefix: String, _ secret: SecretBytes) {
        var buffer = SecretBuffer()
        // Both live during their calls, and the bytes are copied.
        unsafe Array(prefix.utf8).withUnsafeBytes { unsafe buffer.append($0) }
        unsafe secret.withBytes { unsafe buffer.append($0) }
        let (memory, count) = unsafe buffer.release()
        unsafe self.init(taking: memory, count: count)
    }

    /// Takes over memory, of which `count` bytes are initialized.
    fileprivate init(taking memory: UnsafeMutableRawBufferPointer, count: Int) {
        unsafe self.memory = unsafe memory
        self.count = count
    }

    deinit {
        // This is the last reference.
        unsafe memory.wipe()
    }

    /// Lends the bytes for the call; `body` must not keep a copy.
    package func withSpan<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try unsafe withBytes { bytes in
            // The memory lives as long as `self`.
            try body(unsafe Span(_unsafeBytes: bytes))
        }
    }

    /// Lends the bytes for the call; the pointer is valid as long as this object.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        // The memory lives as long as `self`, and has at least `count` bytes.
        try unsafe body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }

    /// Whether all bytes are characters of ASCII that are neither control characters nor white space.
    package var isVisibleASCII: Bool {
        withSpan { bytes in bytes.indices.allSatisfy { (0x21...0x7E).contains(bytes[$0]) } }
    }

    /// A copy of the bytes, which is not overwritten.
    package var bytes: [UInt8] { withSpan { bytes in bytes.indices.map { bytes[$0] } } }

    /// A copy of the bytes as text, with replacements for what is not UTF-8; the copy is not overwritten.
    package var text: String {
        // The object lives during the call, and the bytes are copied.
        unsafe withBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension SecretBytes: Hashable {
    /// Whether both hold the same bytes.
    package static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        // Both objects live during the call.
        unsafe left.withBytes { left in unsafe right.withBytes { unsafe left.elementsEqual($0) } }
    }

    package func hash(into hasher: inout Hasher) {
        // The object lives during the call.
        unsafe withBytes { unsafe hasher.combine(bytes: $0) }
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The number of bytes.
    package var description: String { "\(count) secret bytes" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Collects bytes for a `SecretBytes`, without leaving copies in freed memory.
@safe struct SecretBuffer: ~Copyable {
    /// Owned, and freed in `deinit` or passed on by `take()`.
    private var memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init() {
        unsafe memory = .allocate(byteCount: 0, alignment: 1)
    }

    deinit {
        // No other value has the memory.
        unsafe memory.wipe()
    }

    /// Makes room for more bytes.
    private mutating func reserve(_ more: Int) {
        guard unsafe count + more > memory.count else { return }
        let byteCount = unsafe max(count + more, 2 * memory.count)
        let grown = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 1)
        // The new memory is larger; the old one is freed after the copy.
        unsafe grown.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        unsafe memory.wipe()
        unsafe memory = unsafe grown
    }

    /// Appends what a reader writes into memory that is lent to it for the call.
    ///
    /// - Parameter read: returns how many bytes it wrote; a negative number is an error, and appends nothing.
    /// - Returns: what the reader returned.
    mutating func append(upTo byteCount: Int, from read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        reserve(byteCount)
        // There is room for the bytes.
        let result = unsafe read(UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + byteCount]))
        count += max(0, min(result, byteCount))
        return result
    }

    /// Appends bytes, which are lent for the call.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        // There is room for the bytes.
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Moves the bytes out.
    mutating func take() -> SecretBytes {
        let (memory, count) = unsafe release()
        // The object owns the memory from here on.
        return unsafe SecretBytes(taking: memory, count: count)
    }

    /// Passes the memory on to the caller, and begins again.
    fileprivate mutating func release() -> (UnsafeMutableRawBufferPointer, count: Int) {
        defer {
            unsafe memory = .allocate(byteCount: 0, alignment: 1)
            count = 0
        }
        return unsafe (memory, count)
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Overwrites the memory, and frees it; the caller owns it.
    fileprivate func wipe() {
        if let base = baseAddress { unsafe ccurl_wipe(base, self.count) }
        unsafe deallocate()
    }
}
