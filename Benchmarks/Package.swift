// swift-tools-version: 6.3
import PackageDescription

// A package of its own, so that nothing here is in the way of those who depend on the library.
//
// `codec-bench` and `receive-count` compile the library's pure folders as sources of their own, through symbolic links:
// the same files with the same flags, whole-module optimization included, as in the library. So they reach what is
// internal, and measure no build for tests.

/// What every Swift target of the library is compiled with, and these too.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

/// As what is shipped to a server would be: nine libraries fewer to load at the start.
let shipped: [LinkerSetting] = [
    .unsafeFlags(["-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections"], .when(platforms: [.linux]))
]

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "GenesysLoop", path: "..")],
    targets: [
        // The module is CVector; the name is another because targets must not have the same in two packages.
        .systemLibrary(name: "BenchmarksCVector", path: "Sources/CVector"),
        .executableTarget(name: "codec-bench", dependencies: ["BenchmarksCVector"], swiftSettings: strict),
        .executableTarget(name: "receive-count", dependencies: ["BenchmarksCVector"], swiftSettings: strict),
        .executableTarget(
            name: "stream-client", dependencies: [.product(name: "GenesysLoop", package: "GenesysLoop")],
            swiftSettings: strict, linkerSettings: shipped),
        .executableTarget(
            name: "group-client",
            dependencies: [
                .product(name: "GenesysLoop", package: "GenesysLoop"),
                .product(name: "GenesysPlatform", package: "GenesysLoop"),
            ], swiftSettings: strict, linkerSettings: shipped),
        .executableTarget(
            name: "relay-client",
            dependencies: [
                .product(name: "GenesysLoop", package: "GenesysLoop"),
                .product(name: "GenesysRelay", package: "GenesysLoop"),
            ], swiftSettings: strict, linkerSettings: shipped),
    ],
    swiftLanguageModes: [.v6]
)
