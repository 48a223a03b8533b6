// swift-tools-version: 6.3
import PackageDescription

// A package of its own: the library depends on neither SwiftNIO nor Hummingbird. `Scripts/test --part neighbors` builds
// and runs it.
let package = Package(
    name: "Neighbors",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "GenesysLoop", path: "../.."),
        .package(path: "../../Examples/HealthService"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.81.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.0.0"),
    ],
    targets: [
        .executableTarget(
            name: "neighbor-host",
            dependencies: [
                .product(name: "GenesysLoop", package: "GenesysLoop"),
                .product(name: "GenesysSimulator", package: "GenesysLoop"),
                // Not linked: the host runs it.
                .product(name: "health-service", package: "HealthService"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
