// swift-tools-version: 6.2

import PackageDescription

// C libraries of the system: a module map and inline shims each, imported by exactly one target.
let libraries: [Target] = [
  .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
  .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
  .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
  .systemLibrary(
    name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
  .systemLibrary(name: "CSndfile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
  .systemLibrary(
    name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
  .systemLibrary(name: "CNLopt", pkgConfig: "nlopt", providers: [.apt(["libnlopt-dev"])]),
  .systemLibrary(name: "CPlatform"),
]

let sources: [Target] = [
  // libgomp is oneDNN's: our loops run on its threads.
  .target(name: "CKernels", linkerSettings: [.linkedLibrary("gomp")]),
  .target(name: "Diagnostics"),
  .target(name: "Files", dependencies: ["Diagnostics", "CCrypto", "CPlatform"]),
  .target(name: "Specs", dependencies: ["Diagnostics", "CYAML"]),
  .target(
    name: "Pipeline",
    dependencies: [
      "Diagnostics", "Files", "CPlatform",
      .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
  .target(name: "Networks", dependencies: ["Diagnostics"]),
  .target(name: "Tensors", dependencies: ["Diagnostics", "COneDNN", "CKernels"]),
  .target(name: "Quantization", dependencies: ["Tensors", "Networks", "CKernels"]),
  .target(
    name: "Training", dependencies: ["Tensors", "Quantization", "Networks", "CKernels"],
    exclude: ["README.md"]),
  .target(
    name: "Datasets",
    dependencies: ["Diagnostics", "Files", "Tensors", "CKernels", "CSndfile", "CTurboJPEG"]),
  .target(
    name: "Search", dependencies: ["Networks", "CKernels", "CNLopt"], exclude: ["README.md"]),
  .target(name: "Archives", dependencies: ["Files", "CArchive"]),
  .target(name: "Catalogue", dependencies: ["Files"]),
  .target(
    name: "Downloads",
    dependencies: [
      "Catalogue", "Pipeline", "Files",
      .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
  .target(
    name: "Records", dependencies: ["Diagnostics", "Files", "Tensors", "Networks", "CHDF5"]),
  .target(
    name: "Experiments",
    dependencies: ["Specs", "Pipeline", "Networks", "Files", "Diagnostics", "CPlatform"],
    exclude: ["README.md"]),
  .target(
    name: "Stages",
    dependencies: [
      "Experiments", "Pipeline", "Training", "Datasets", "Search", "Records", "Networks",
      "Quantization", "Tensors", "Files", "Archives", "Catalogue",
    ]),
  .executableTarget(
    name: "shiftwork",
    dependencies: [
      "Experiments", "Pipeline", "Specs", "Diagnostics", "Files", "Catalogue", "Downloads",
      "CPlatform",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    // Loading Swift's libraries would take longer than most commands do.
    swiftSettings: [.unsafeFlags(["-static-stdlib"])],
    linkerSettings: [
      .unsafeFlags(["-static-stdlib"]), .linkedLibrary("_FoundationCShims"),
      .linkedLibrary("_FoundationCollections"),
    ]),
  .executableTarget(name: "shiftwork-worker", dependencies: ["Stages"]),
  .executableTarget(
    name: "Benchmarks",
    dependencies: [
      "Networks", "Tensors", "Training", "Datasets", "Search", "Diagnostics", "Files", "CKernels",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Subprocess", package: "swift-subprocess"),
      .product(name: "SystemPackage", package: "swift-system"),
    ]),
]

let tests: [Target] =
  [.target(name: "TestSupport", path: "Tests/TestSupport")]
  + [
    ("Diagnostics", []), ("Files", []), ("Specs", ["Diagnostics"]),
    ("Pipeline", ["Diagnostics", "Files"]), ("Tensors", ["CKernels", "Records"]),
    ("Networks", ["Diagnostics"]),
    ("Quantization", ["Networks", "Records", "Tensors", "CKernels"]),
    (
      "Training",
      ["CKernels", "Datasets", "Files", "Networks", "Quantization", "Records", "Tensors"]
    ),
    ("Datasets", ["CKernels", "Files", "Tensors"]), ("Search", ["CKernels", "Networks"]),
    ("Records", ["Files", "Networks", "Tensors"]), ("Archives", ["Files"]),
    ("Catalogue", ["Files"]),
    ("Stages", ["Experiments", "Files", "Networks", "Pipeline", "Records", "Tensors", "Training"]),
    ("Experiments", ["Diagnostics", "Files", "Networks", "Pipeline", "Specs"]),
  ].map { (name: String, extra: [String]) in
    .testTarget(
      name: "\(name)Tests",
      dependencies: [.byName(name: name), "TestSupport"] + extra.map { .byName(name: $0) })
  }
  // It runs the programs, which `swift test` builds with everything else: a dependency on them
  // would hand their static linking on to the tests.
  + ["Command", "Repository"].map {
    .testTarget(name: "\($0)Tests", dependencies: ["TestSupport"])
  }

let package = Package(
  name: "Shiftwork",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
  ],
  targets: libraries + sources + tests,
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

for target in package.targets where target.type != .system && target.name != "CKernels" {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [
      .treatAllWarnings(as: .error),
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("InternalImportsByDefault"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
