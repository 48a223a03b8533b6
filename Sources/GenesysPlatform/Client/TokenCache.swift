internal import GenesysLoop

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A file that keeps a token across starts.
///
///     {"account":"CLIENT-ID https://login.REGION","accessToken":"…","expires":"2026-02-03T17:59:07.650Z"}
///
/// It is a regular file of this user that others cannot read. A token of another account counts as absent. The file is
/// replaced as a whole, so that a reader never sees a part of it; therefore it is no symbolic link, which would be
/// replaced instead of its target.
struct TokenCache: Sendable {
    private let path: String
    private let account: String

    static let maxByteCount = 65_536

    init(_ path: String, of account: String) {
        self.path = path
        self.account = account
    }

    /// The token, and the rest of its life.
    ///
    /// - Returns: nil if there is no token of this account, or if it has ended.
    /// - Throws: `ChannelFailure` with reason `invalidURI` if the file cannot be a cache.
    func read(now: WallTime) throws(ChannelFailure) -> (value: SecretBytes, lifetime: Duration?)? {
        guard let contents = try contents(), contents.count > 0 else { return nil }
        guard let body = try? JSONReader(contents), let owner = body["account"]?.text else {
            // It is replaced later, so it must not be a file of someone else.
            throw .usage("The file \(path) is no token cache: name another one, or remove it")
        }
        guard owner == account, let token = body["accessToken"]?.secret, token.count > 0 else { return nil }
        guard let end = body["expires"]?.text.flatMap(WallTime.init(iso8601:)) else { return (token, nil) }
        let lifetime = end - now
        return lifetime > .zero ? (token, lifetime) : nil
    }

    /// The bytes of the file; nil if there is none, but can be one.
    private func contents() throws(ChannelFailure) -> SecretBytes? {
        guard !path.isEmpty else { throw .usage("The token cache has no name") }
        // The path is a C string, valid during the call. A FIFO does not block, and is refused below.
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            let code = errno
            guard code != ELOOP else { throw isLink }
            guard code == ENOENT, isFolderWritable else { throw unusable(code) }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        // The variable is valid during the call.
        guard unsafe fstat(descriptor, &status) == 0 else { throw unusable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .usage("The token cache \(path) is not a regular file: name another one")
        }
        guard status.st_mode & (S_IRWXG | S_IRWXO) == 0, status.st_uid == geteuid() else {
            throw .usage("The token cache \(path) is not for its owner alone: set its mode to 0600 with chmod")
        }
        var buffer = SecretBuffer()
        var count = 1
        while count != 0, buffer.count <= TokenCache.maxByteCount {
            // The memory is valid during the call.
            count = unsafe buffer.append(upTo: 4_096) { unsafe systemRead(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { throw unusable(errno) }
        }
        guard buffer.count <= TokenCache.maxByteCount else {
            throw .usage("The file \(path) is no token cache: name another one, or remove it")
        }
        return buffer.take()
    }

    /// Replaces the token.
    ///
    /// - Throws: `ChannelFailure` if the file cannot be written.
    func write(_ token: SecretBytes, end: WallTime?) throws(ChannelFailure) {
        var status = stat()
        // The path is a C string, valid during the call, and so is the variable.
        if unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { throw isLink }
        var object = JSONObject()
        object.add("account", account)
        object.add("accessToken", token.text)
        object.add("expires", end?.description)
        let bytes = object.finished() + [.lineFeed]
        var template = Array("\(path).XXXXXX".utf8CString)
        // The memory ends with a zero byte, and is valid during the call. The file is made with mode 0600.
        let descriptor = unsafe mkstemp(&template)
        guard descriptor >= 0 else { throw unusable(errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // The bytes are valid during the call.
        let count = unsafe bytes.withUnsafeBytes { unsafe systemWrite(descriptor, $0.baseAddress, $0.count) }
        var code = count == bytes.count ? 0 : count < 0 ? errno : EIO
        close(descriptor)
        // Both are C strings, valid during the calls.
        if code == 0, unsafe rename(template, path) != 0 { code = errno }
        guard code == 0 else {
            unsafe unlink(template)
            throw unusable(code)
        }
    }

    private var isFolderWritable: Bool {
        let end = path.lastIndex(of: "/")
        let folder = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        // The path is a C string, valid during the call.
        return unsafe access(folder, W_OK | X_OK) == 0
    }

    private var isLink: ChannelFailure {
        .usage("The token cache \(path) is a symbolic link: name the file itself")
    }

    private func unusable(_ code: Int32) -> ChannelFailure {
        .usage("The token cache \(path) cannot be used: \(UVError(operation: "", code: -code).text)")
    }
}

// Inside `TokenCache` these names are its methods.
private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, bytes, count)
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
