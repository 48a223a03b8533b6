/// Where the plaintext that is being parsed lies: in the loop's buffer during a read, or in a carry of the link's own
/// when reading was paused in the middle of one.
///
/// The pointer is valid while the link is being read: the loop's buffers are not touched by anyone else during a pass,
/// and the carry is freed only here.
@safe struct LinkInput: ~Copyable {
    private var base: UnsafePointer<UInt8>?
    private(set) var end = 0
    var offset = 0
    private var carry: UnsafeMutableBufferPointer<UInt8>?
    /// Whether more bytes can be put right behind `end`.
    var mayGrow = false

    var isExhausted: Bool { offset >= end }

    deinit {
        if let carry = unsafe carry { unsafe carry.deallocate() }
    }

    /// Parses `bytes` next; they stay where they are until all of them are used or another input is set.
    mutating func set(_ bytes: UnsafeRawBufferPointer, mayGrow: Bool = false) {
        // The loop lends its buffer for the length of the read callback.
        unsafe base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        end = bytes.count
        offset = 0
        self.mayGrow = mayGrow
    }

    /// Moves the unused rest to the start of `buffer`, in which it lies, so that it ends at the end of a cache line.
    mutating func moveRest(to buffer: UnsafeMutableRawBufferPointer) {
        let rest = unsafe UnsafeRawBufferPointer(self.rest)
        let start = -rest.count & 63
        // Both places are inside of the buffer, whose size is of whole lines; they may overlap.
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start..<(start + rest.count)]).copyMemory(from: rest)
        offset = start
        end = start + rest.count
    }

    /// `count` more bytes are behind the last one.
    mutating func grow(by count: Int) {
        end += count
    }

    /// The unused rest.
    var rest: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: base.map { unsafe $0 + offset }, count: end - offset)
    }

    /// The input, whole; offsets and ranges count from its start. It stays in place until another one is set.
    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let whole = unsafe UnsafeBufferPointer(start: base, count: end)
            return unsafe _overrideLifetime(Span(_unsafeElements: whole), borrowing: self)
        }
    }

    /// Goes on with `bytes`, in a buffer of its own.
    mutating func adopt(_ bytes: [UInt8]) {
        freeCarry()
        guard !bytes.isEmpty else { return }
        // Owned by this value until `freeCarry`.
        let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe kept.initialize(fromContentsOf: bytes)
        unsafe carry = kept
        unsafe base = UnsafePointer(kept.baseAddress)
        end = kept.count
        offset = 0
    }

    var hasCarry: Bool { unsafe carry != nil && offset < end }

    mutating func freeCarry() {
        if let carry = unsafe carry { unsafe carry.deallocate() }
        unsafe carry = nil
        clear()
    }

    private mutating func clear() {
        unsafe base = nil
        end = 0
        offset = 0
        mayGrow = false
    }
}
