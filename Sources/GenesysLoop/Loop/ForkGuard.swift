internal import CUV
internal import Synchronization

/// Counts the forks this process is the child of, so that a loop made before `fork()` can refuse to be used after it.
///
/// Parent and child share the kernel's poll set: a child that closed one socket would silence it in the parent.
enum ForkGuard {
    /// 0 in the process that first asked, one more in each generation of its children.
    static var generation: Int {
        _ = isInstalled
        return count.load(ordering: .relaxed)
    }

    private static let count = Atomic<Int>(0)

    private static let isInstalled: Bool = {
        cuv_after_fork_in_child { ForkGuard.count.add(1, ordering: .relaxed) }
        return true
    }()
}
