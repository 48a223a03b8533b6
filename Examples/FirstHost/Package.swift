// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "first-host",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "GenesysLoop", path: "../..")  // where you cloned it
    ],
    targets: [
        .executableTarget(
            name: "first-host",
            dependencies: [.product(name: "GenesysLoop", package: "GenesysLoop")])
    ]
)
