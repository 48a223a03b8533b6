// swift-tools-version: 6.3
import PackageDescription

// A package of its own, so that the simulation is built in release mode without the rest of the tests. `Scripts/test`
// runs its many seeds; `Scripts/mutate` builds it with deliberate faults. The main package has the same tests, with few
// seeds. `AllocationTests` are here alone: only what is optimized allocates as little as it must.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let machineTests: [Target] = [
    .testTarget(
        name: "MachineTests", dependencies: ["GenesysLoop"],
        swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .testTarget(
        name: "PlatformMachineTests", dependencies: ["GenesysLoop", "GenesysPlatform"], swiftSettings: strict),
    .testTarget(name: "RelayMachineTests", dependencies: ["GenesysLoop", "GenesysRelay"], swiftSettings: strict),
]
let allocationTests: [Target] = [
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .testTarget(
        name: "AllocationTests",
        dependencies: ["GenesysLoop", "GenesysRelay", "GenesysSimulator", "CAllocationCounter"],
        swiftSettings: strict),
]

#if os(macOS)
let hiredisPkgConfig: String? = "hiredis"
#else
let hiredisPkgConfig: String? = nil
#endif

let package = Package(
    name: "Simulation",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: "https://github.com/apple/swift-log.git", from: "1.6.0")],
    targets: [
        .systemLibrary(
            name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CVector"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
        .systemLibrary(
            name: "CHiredis", pkgConfig: hiredisPkgConfig,
            providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]),
        .target(
            name: "GenesysLoop",
            dependencies: ["CUV", "COpenSSL", "CVector", "CZlib", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "ServerKit", dependencies: ["GenesysLoop", "CUV", "COpenSSL"], swiftSettings: strict),
        .target(name: "GenesysSimulator", dependencies: ["GenesysLoop", "ServerKit"], swiftSettings: strict),
        .target(
            name: "GenesysPlatform",
            dependencies: ["GenesysLoop", "CCurl", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(name: "GenesysRelay", dependencies: ["GenesysLoop", "CHiredis"], swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["GenesysLoop", "GenesysPlatform", "GenesysRelay", "GenesysSimulator"],
            swiftSettings: strict),
    ] + (Context.environment["GENESYS_LOOP_MUTATE"] == nil ? allocationTests : machineTests),
    swiftLanguageModes: [.v6]
)
