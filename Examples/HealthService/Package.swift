// swift-tools-version: 6.3
import PackageDescription

// A package of its own, as a program of yours would be, because nothing else of this repository needs Hummingbird. In a
// copy, the path of the library is another one. `Scripts/test --part neighbors` builds and runs it.
let package = Package(
    name: "HealthService",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "health-service", targets: ["health-service"])],
    dependencies: [
        .package(name: "GenesysLoop", path: "../.."),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.0.0"),
    ],
    targets: [
        .executableTarget(
            name: "health-service",
            dependencies: [
                .product(name: "GenesysLoop", package: "GenesysLoop"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
