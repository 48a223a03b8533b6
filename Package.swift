// swift-tools-version: 6.3
import PackageDescription

/// What every Swift target of the package is compiled with.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

// The file for pkg-config has a flag that SwiftPM warns about; where the header is in a usual place, it is not needed.
#if os(macOS)
let hiredisPkgConfig: String? = "hiredis"
#else
let hiredisPkgConfig: String? = nil
#endif

let package = Package(
    name: "GenesysLoop",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "GenesysLoop", targets: ["GenesysLoop"]),
        .library(name: "GenesysSimulator", targets: ["GenesysSimulator"]),
        .library(name: "GenesysMetrics", targets: ["GenesysMetrics"]),
        .library(name: "GenesysPlatform", targets: ["GenesysPlatform"]),
        .library(name: "GenesysRelay", targets: ["GenesysRelay"]),
        .library(name: "GenesysLoopC", type: .dynamic, targets: ["GenesysLoopC"]),
        .library(name: "CUV", targets: ["CUV"]),
        .executable(name: "genesys-loop", targets: ["genesys-loop"]),
        .executable(name: "websocket-echo", targets: ["websocket-echo"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .systemLibrary(name: "CVector"),
        .target(name: "CProcess"),
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
            name: "CGenesysLoop", path: "Sources/GenesysLoopC", sources: ["stay_loaded.c"],
            publicHeadersPath: "include"),
        .target(
            name: "GenesysLoopC", dependencies: ["GenesysLoop", "CGenesysLoop", "CUV"],
            exclude: ["include", "stay_loaded.c"], swiftSettings: strict),
        .target(
            name: "ServerKit", dependencies: ["GenesysLoop", "CUV", "COpenSSL"], swiftSettings: strict),
        .target(name: "GenesysSimulator", dependencies: ["GenesysLoop", "ServerKit"], swiftSettings: strict),
        .target(
            name: "GenesysPlatform",
            dependencies: ["GenesysLoop", "CCurl", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .target(name: "GenesysRelay", dependencies: ["GenesysLoop", "CHiredis"], swiftSettings: strict),
        .target(
            name: "GenesysMetrics",
            dependencies: ["GenesysLoop", .product(name: "CoreMetrics", package: "swift-metrics")],
            swiftSettings: strict),
        .target(
            name: "ToolSupport",
            dependencies: [
                "CProcess", "GenesysLoop", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "genesys-loop",
            dependencies: [
                "GenesysLoop", "GenesysMetrics", "GenesysPlatform", "GenesysRelay", "GenesysSimulator", "ServerKit",
                "ToolSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "websocket-echo",
            dependencies: [
                "GenesysLoop", "GenesysSimulator", "ToolSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "first-host", dependencies: ["GenesysLoop"], path: "Examples/FirstHost/Sources/first-host",
            swiftSettings: strict),
        .executableTarget(
            name: "plain-host", dependencies: ["GenesysLoop"], path: "Examples/PlainHost", swiftSettings: strict),
        .executableTarget(
            name: "actor-host", dependencies: ["GenesysLoop"], path: "Examples/ActorHost", swiftSettings: strict),
        .executableTarget(
            name: "service-host", dependencies: ["GenesysLoop"], path: "Examples/Service", swiftSettings: strict),
        .executableTarget(
            name: "health-check", dependencies: ["GenesysLoop"], path: "Examples/HealthCheck", swiftSettings: strict),
        .executableTarget(
            name: "stream-reader", dependencies: ["CHiredis"], path: "Examples/StreamReader", swiftSettings: strict),
        .executableTarget(
            name: "request-probe",
            dependencies: [
                "GenesysLoop", "GenesysPlatform", "ServerKit", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/RequestProbe", swiftSettings: strict),
        .testTarget(
            name: "GenesysLoopTests",
            dependencies: ["GenesysLoop", "ServerKit", "CUV", "COpenSSL", "CVector"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .testTarget(
            name: "GenesysSimulatorTests",
            dependencies: [
                "GenesysSimulator", "GenesysLoop", "ServerKit", "CUV", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GenesysMetricsTests",
            dependencies: [
                "GenesysMetrics", "GenesysLoop", "GenesysSimulator", "CUV",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GenesysPlatformTests",
            dependencies: [
                "GenesysPlatform", "GenesysLoop", "GenesysSimulator", "ServerKit", "CUV",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "GenesysRelayTests", dependencies: ["GenesysRelay", "GenesysLoop", "ServerKit"],
            swiftSettings: strict),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["GenesysLoop", "GenesysPlatform", "GenesysRelay", "GenesysSimulator"],
            swiftSettings: strict),
        .testTarget(
            name: "ReadmeTests",
            dependencies: [
                "GenesysLoop", "GenesysMetrics", "GenesysPlatform", "GenesysRelay", "GenesysSimulator", "CUV",
                "service-host",
                "genesys-loop", "websocket-echo",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ToolTests",
            dependencies: [
                "GenesysLoop", "GenesysMetrics", "GenesysPlatform", "GenesysRelay", "GenesysSimulator", "ServerKit",
                "ToolSupport", "genesys-loop", "websocket-echo", "first-host", "plain-host", "actor-host",
                "service-host",
                "health-check", "request-probe", "stream-reader",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
