// swift-tools-version: 6.3
import PackageDescription

// A package of its own, because a package whose targets have unsafe flags cannot be a dependency. The library is
// compiled here once more, as a part of this package, so that it is instrumented and its `package` declarations are
// visible. `Scripts/fuzz` builds it in two ways: for libFuzzer with the address sanitizer, and for measuring coverage.
let measuresCoverage = Context.environment["GENESYS_LOOP_FUZZ"] == "coverage"

// gold cannot read the debugging information of these builds.
#if os(Linux)
let lld = ["-use-ld=lld"]
#else
let lld: [String] = []
#endif

// The random numbers of OpenSSL are replaced by a function that it calls deprecated.
let quiet = ["-Xcc", "-DOPENSSL_SUPPRESS_DEPRECATED"]

let library: [String]
let executable: [String]
let linker: [String]
if measuresCoverage {
    library = ["-profile-generate", "-profile-coverage-mapping"]
    executable = ["-parse-as-library"] + quiet
    linker = ["-profile-generate"] + lld
} else {
    // Only the library guides the fuzzer: the branches of an oracle are not worth an input.
    library = ["-sanitize=fuzzer,address"]
    executable = ["-sanitize=address", "-parse-as-library", "-D", "LIBFUZZER"] + quiet
    linker = ["-sanitize=fuzzer,address"] + lld
}

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: "https://github.com/apple/swift-log.git", from: "1.6.0")],
    targets: [
        .systemLibrary(
            name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CVector"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "GenesysLoop",
            dependencies: ["CUV", "COpenSSL", "CVector", "CZlib", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(library)]),
        .target(
            name: "ServerKit", dependencies: ["GenesysLoop", "CUV", "COpenSSL"],
            swiftSettings: strict + [.unsafeFlags(library)]),
        .executableTarget(
            name: "fuzz", dependencies: ["GenesysLoop", "ServerKit", "COpenSSL"],
            swiftSettings: strict + [.unsafeFlags(executable)],
            linkerSettings: [.unsafeFlags(linker)]),
    ],
    swiftLanguageModes: [.v6]
)
