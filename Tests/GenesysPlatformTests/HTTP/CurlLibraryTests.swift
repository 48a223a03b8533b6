import Testing

@testable import GenesysLoop
@testable import GenesysPlatform

struct CurlLibraryTests {
    private func library(_ number: UInt32, _ tls: String = "OpenSSL/3.0.19") -> CurlLibrary {
        CurlLibrary(version: CurlLibrary.Version(number: number), tls: tls)
    }

    @Test func `an old libcurl is refused`() {
        #expect(
            library(0x075600).refusal(ownTLS: "3.0.19") == "libcurl 7.86.0 is too old: 7.87.0 or later is needed.")
        for number: UInt32 in [0x075700, 0x075801, 0x080000, 0x081500] {
            #expect(library(number).refusal(ownTLS: "3.0.19") == nil)
        }
    }

    @Test func `a libcurl with another TLS library, or another OpenSSL, is refused`() {
        for tls in ["", "GnuTLS/3.7.9", "SecureTransport", "OpenSSL/1.1.1n", "(OpenSSL/3.0.19) GnuTLS/3.7.9"] {
            #expect(library(0x075801, tls).refusal(ownTLS: "3.0.19")?.hasPrefix("libcurl was built with ") == true)
        }
        #expect(library(0x075801, "(SecureTransport) OpenSSL/3.0.19").refusal(ownTLS: "3.0.19") == nil)
    }

    @Test func `versions with a grave fault cause a warning`() {
        for number: UInt32 in [0x080900, 0x080901, 0x080A00, 0x081500] {
            #expect(library(number).warning?.contains("has a known fault") == true)
        }
        for number: UInt32 in [0x075801, 0x080803, 0x080A01, 0x081400, 0x081600] {
            #expect(library(number).warning == nil)
        }
    }
}
