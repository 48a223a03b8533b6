internal import COpenSSL
import Foundation
import Testing

@testable import GenesysLoop
@testable import ServerKit

@Suite struct TLSTrustStoreTests {
    /// A folder of its own for each test.
    private final class Folder {
        let path: String

        init() throws {
            path = NSTemporaryDirectory() + "genesys-loop-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }

        func write(_ bytes: [UInt8], to name: String) throws -> String {
            try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
            return path + "/" + name
        }
    }

    private func sentence(_ trust: TLSConfiguration.Trust) -> String? {
        let error = #expect(throws: TLSError.self) { _ = try TLSContext(client: TLSConfiguration(trust: trust)) }
        #expect(error?.fault == .configuration)
        return error?.description
    }

    private func accepts(_ trust: TLSConfiguration.Trust, _ identity: CertificateIdentity) throws -> Bool {
        let serverContext = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        let clientContext = try TLSContext(client: TLSConfiguration(trust: trust))
        let pair = TLSPair(
            client: try TLSSession(context: clientContext, clientFor: "localhost"),
            server: try TLSSession(serverOn: serverContext))
        return pair.clientError() == nil
    }

    @Test func `a CA file takes the place of the system's store`() throws {
        let folder = try Folder()
        let authority = try CertificateAuthority()
        let path = try folder.write(authority.certificatePEM, to: "ca.pem")
        #expect(try accepts(.file(path), authority.issue()))
        #expect(try !accepts(.file(path), CertificateAuthority(commonName: "Other").issue()))
    }

    @Test func `a CA file that cannot be used is named, with the reason`() throws {
        let folder = try Folder()
        let missing = folder.path + "/missing.pem"
        #expect(sentence(.file(missing)) == "The CA file “\(missing)” cannot be read: No such file or directory.")
        #expect(sentence(.file(folder.path)) == "The CA file “\(folder.path)” cannot be read: Is a directory.")
        let empty = try folder.write([], to: "empty.pem")
        #expect(sentence(.file(empty)) == "The CA file “\(empty)” is empty.")
        let garbage = try folder.write(tlsPattern(5_000), to: "garbage.pem")
        #expect(sentence(.file(garbage)) == "The CA file “\(garbage)” holds no PEM certificate.")
        let key = try folder.write(CertificateAuthority().identity.keyPEM, to: "key.pem")
        #expect(sentence(.file(key)) == "The CA file “\(key)” holds no PEM certificate.")
    }

    @Test func `a broken certificate among good ones is named by its number`() throws {
        let good = try CertificateAuthority().certificatePEM
        var lines = String(decoding: good, as: UTF8.self).split(separator: "\n")
        lines[1] = "AAAA" + lines[1].dropFirst(4)
        let broken = Array((lines.joined(separator: "\n") + "\n").utf8)
        let text = try #require(sentence(.pem(good + broken)))
        #expect(text.hasPrefix("Certificate 2 of the PEM text of trusted certificates cannot be read: "))
    }

    @Test func `several certificates in memory are all trusted, whatever stands between them`() throws {
        let first = try CertificateAuthority(commonName: "First")
        let second = try CertificateAuthority(commonName: "Second")
        let text = Array("# a comment\n".utf8)
        let pem = text + first.certificatePEM + text + first.identity.keyPEM + second.certificatePEM + text
        #expect(try accepts(.pem(pem), first.issue()))
        #expect(try accepts(.pem(pem), second.issue()))
        #expect(try accepts(.pem(pem + pem), second.issue()))
        #expect(sentence(.pem([])) == "The PEM text of trusted certificates is empty.")
    }

    private func store(_ change: (inout SystemTrustLocations) -> Void) throws -> TLSContext {
        let context = try TLSContext(client: TLSConfiguration(trust: .pem(CertificateAuthority().certificatePEM)))
        var locations = SystemTrustLocations(
            environmentFile: nil, environmentFolders: nil, builtInFile: "/nonexistent/cert.pem",
            builtInFolders: "/nonexistent/certs", knownFiles: [], knownFolders: [])
        change(&locations)
        try context.addSystemTrust(locations)
        return context
    }

    private func accepts(_ context: TLSContext, _ identity: CertificateIdentity) throws -> Bool {
        let serverContext = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        return TLSPair(
            client: try TLSSession(context: context, clientFor: "localhost"),
            server: try TLSSession(serverOn: serverContext)
        ).clientError() == nil
    }

    @Test func `a system without certificates is an error that lists what was tried`() throws {
        let error = #expect(throws: TLSError.self) {
            _ = try store { $0.knownFiles = ["/nonexistent/bundle.crt"] }
        }
        #expect(error?.fault == .configuration)
        #expect(
            error?.description.contains(
                "tried /nonexistent/cert.pem, /nonexistent/certs, /nonexistent/bundle.crt.") == true)
    }

    @Test func `the well-known places are tried when the built-in ones are empty`() throws {
        let folder = try Folder()
        let authority = try CertificateAuthority()
        let path = try folder.write(authority.certificatePEM, to: "bundle.crt")
        #expect(try accepts(store { $0.knownFiles = ["/nonexistent/a", path] }, authority.issue()))
    }

    @Test func `what the environment names is never widened`() throws {
        let folder = try Folder()
        let authority = try CertificateAuthority()
        let path = try folder.write(authority.certificatePEM, to: "bundle.crt")
        #expect(throws: TLSError.self) {
            _ = try store {
                $0.environmentFile = "/nonexistent/mine.pem"
                $0.knownFiles = [path]
            }
        }
        let context = try store {
            $0.environmentFile = path
            $0.builtInFile = "/nonexistent/other"
        }
        #expect(try accepts(context, authority.issue()))
    }

    @Test func `a folder counts when it holds certificates named by their hash`() throws {
        let folder = try Folder()
        // Another name than that of the root: OpenSSL looks into folders for unknown names only.
        let authority = try CertificateAuthority(commonName: "Folder Root")
        _ = try folder.write(authority.certificatePEM, to: "ca.pem")
        #expect(SystemTrustLocations.hashedCertificateCount(in: folder.path) == 0)
        #expect(throws: TLSError.self) { _ = try store { $0.builtInFolders = folder.path } }
        let name = try OwnedCertificate(pem: authority.certificatePEM).hashedName
        _ = try folder.write(authority.certificatePEM, to: name)
        let context = try store { $0.builtInFolders = "/nonexistent/certs:" + folder.path }
        let isAccepted = try accepts(context, authority.issue())
        // OpenSSL reads the folder during the handshake.
        withExtendedLifetime(folder) {}
        #expect(isAccepted)
    }

    private func failure(_ context: TLSContext, _ identity: CertificateIdentity) throws -> TLSError? {
        let serverContext = try TLSContext(server: identity.chainPEM, keyPEM: identity.keyPEM)
        return TLSPair(
            client: try TLSSession(context: context, clientFor: "localhost"),
            server: try TLSSession(serverOn: serverContext)
        ).clientError()
    }

    @Test func `an expired certificate of the trust store is named with the file that holds it`() throws {
        let folder = try Folder()
        var request = CertificateRequest.authority("Old Root")
        request.notBefore = .seconds(-7_200)
        request.notAfter = .seconds(-3_600)
        let old = try CertificateAuthority(root: request)
        let name = try OwnedCertificate(pem: old.certificatePEM).hashedName
        let good = try folder.write(CertificateAuthority(commonName: "Another").certificatePEM, to: "a.pem")
        let hashed = folder.path + "/hashed"
        try FileManager.default.createDirectory(atPath: hashed, withIntermediateDirectories: false)
        _ = try folder.write(old.certificatePEM, to: "hashed/\(name)")
        let path = try folder.write(old.certificatePEM, to: "old.pem")
        let places: [(TLSContext, String)] = [
            (try TLSContext(client: TLSConfiguration(trust: .file(path))), "the CA file “\(path)”"),
            (
                try TLSContext(client: TLSConfiguration(trust: .directory(folder.path))),
                "the file “\(path)” of the CA folder"
            ),
            (
                try TLSContext(client: TLSConfiguration(trust: .pem(old.certificatePEM))),
                "the PEM text of trusted certificates"
            ),
            (try store { $0.environmentFile = path }, "the file “\(path)”"),
            (
                try store {
                    $0.environmentFile = good
                    $0.environmentFolders = "/nonexistent:" + hashed
                }, "the folder “\(hashed)”"
            ),
        ]
        for (context, place) in places {
            let error = try #require(try failure(context, old.issue()))
            guard case .certificate(.expired, depth: 1, code: 10, let text) = error.fault else { throw error }
            #expect(text.hasPrefix("the issuer certificate “Old Root”, which \(place) holds, expired on 2"))
        }
        withExtendedLifetime(folder) {}
    }

    @Test func `an expired certificate of a file does not hide the one of its name in a folder`() throws {
        let folder = try Folder()
        var request = CertificateRequest.authority("Root of Both")
        let new = try CertificateAuthority(root: request)
        request.notBefore = .seconds(-7_200)
        request.notAfter = .seconds(-3_600)
        let old = try folder.write(CertificateAuthority(root: request).certificatePEM, to: "old.pem")
        _ = try folder.write(new.certificatePEM, to: OwnedCertificate(pem: new.certificatePEM).hashedName)
        let context = try store {
            $0.environmentFile = old
            $0.environmentFolders = folder.path
        }
        for _ in 0..<2 { #expect(try accepts(context, new.issue())) }
        withExtendedLifetime(folder) {}
    }

    @Test func `nobody is asked for the password of a key`() throws {
        let identity = try CertificateAuthority.selfSigned()
        let key = try OwnedKey(pem: identity.keyPEM)
        let target = try OwnedBIO()
        let password = Array("secret".utf8)
        try #require(
            unsafe PEM_write_bio_PrivateKey(
                target.pointer, key.pointer, EVP_aes_128_cbc(), password, Int32(password.count), nil, nil) == 1)
        let locked = target.readAll(maxByteCount: 10_000) ?? []
        let error = #expect(throws: TLSError.self) {
            _ = try TLSContext(server: identity.chainPEM, keyPEM: locked)
        }
        #expect(error?.fault == .configuration)
    }

    @Test func `a server needs a certificate and the key that fits it`() throws {
        let authority = try CertificateAuthority()
        let identity = try authority.issue()
        let other = try authority.issue()
        for (chain, key) in [([], identity.keyPEM), (identity.chainPEM, []), (identity.chainPEM, other.keyPEM)] {
            let error = #expect(throws: TLSError.self) { _ = try TLSContext(server: chain, keyPEM: key) }
            #expect(error?.fault == .configuration)
        }
    }
}
