// swift-format-ignore-file: AlwaysUseLowerCamelCase, AllPublicDeclarationsHaveDocumentation

// The names are those of genesys_loop.h, which documents them.
public import CGenesysLoop
public import CUV
internal import GenesysLoop

// The functions of genesys_loop.h that make, run and leave loops. The header documents them. Handles and `user`
// pointers belong to the C program, which keeps them valid as the header requires; only `user` is kept after a call.

@c @implementation
public func genesys_loop_version() -> UInt32 {
    UInt32(GENESYS_LOOP_VERSION_MAJOR * 1_000_000 + GENESYS_LOOP_VERSION_MINOR * 1_000 + GENESYS_LOOP_VERSION_PATCH)
}

/// The text of the version: made once, never freed.
nonisolated(unsafe) private let versionText: UnsafeMutablePointer<CChar> = {
    let text = "\(GENESYS_LOOP_VERSION_MAJOR).\(GENESYS_LOOP_VERSION_MINOR).\(GENESYS_LOOP_VERSION_PATCH)"
    let bytes = text.utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() { unsafe (copy + index).initialize(to: byte) }
    return unsafe copy
}()

@c @implementation
public func genesys_loop_version_text() -> UnsafePointer<CChar>? {
    unsafe UnsafePointer(versionText)
}

@c @implementation
public func genesys_loop_new(_ error: UnsafeMutablePointer<genesys_error>?) -> OpaquePointer? {
    unsafe CallError.report(to: error) { unsafe LoopHandle(try UVLoop()).pointer }
}

@c @implementation
public func genesys_loop_adopt(
    _ loop: UnsafeMutablePointer<uv_loop_s>?, _ error: UnsafeMutablePointer<genesys_error>?
) -> OpaquePointer? {
    unsafe CallError.report(to: error) {
        guard let loop = unsafe loop else { throw CallError.argument("the loop is NULL") }
        return unsafe LoopHandle(try UVLoop(adopting: loop)).pointer
    }
}

@c @implementation
public func genesys_loop_bind(_ loop: OpaquePointer?) {
    unsafe LoopHandle.of(loop)?.loop.bindToCurrentThread()
}

@c @implementation
public func genesys_loop_run(_ loop: OpaquePointer?) {
    unsafe LoopHandle.of(loop)?.loop.run()
}

@c @implementation
public func genesys_loop_stop(_ loop: OpaquePointer?) {
    unsafe LoopHandle.of(loop)?.loop.stop()
}

@c @implementation
public func genesys_loop_is_current(_ loop: OpaquePointer?) -> Int32 {
    unsafe LoopHandle.of(loop)?.loop.isCurrent == true ? 1 : 0
}

@c @implementation
public func genesys_loop_execute(
    _ loop: OpaquePointer?, _ function: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?,
    _ user: UnsafeMutableRawPointer?
) -> genesys_status {
    guard let loop = unsafe LoopHandle.of(loop)?.loop, unsafe function != nil else { return GENESYS_ERROR_ARGUMENT }
    let callback = unsafe CallbackOnce(function, user)
    return switch loop.execute({ callback.call() }) {
    case .taken, .waits: GENESYS_OK
    case .refused: GENESYS_ERROR_LOOP
    }
}

@c @implementation
public func genesys_loop_set_keeps_running(_ loop: OpaquePointer?, _ keeps_running: Int32) {
    unsafe LoopHandle.current(loop, for: "genesys_loop_set_keeps_running")?.keepsRunning = keeps_running != 0
}

@c @implementation
public func genesys_loop_close_all(_ loop: OpaquePointer?) {
    unsafe LoopHandle.current(loop, for: "genesys_loop_close_all")?.closeAll()
}

@c @implementation
public func genesys_loop_detach(
    _ loop: OpaquePointer?, _ completion: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?,
    _ user: UnsafeMutableRawPointer?
) {
    let callback = unsafe CallbackOnce(completion, user)
    unsafe LoopHandle.of(loop)?.loop.detach { callback.call() }
}

@c @implementation
public func genesys_loop_release(_ loop: OpaquePointer?) {
    guard let loop = unsafe loop else { return }
    // The reference that genesys_loop_new or genesys_loop_adopt made.
    unsafe Unmanaged<LoopHandle>.fromOpaque(UnsafeRawPointer(loop)).release()
}
