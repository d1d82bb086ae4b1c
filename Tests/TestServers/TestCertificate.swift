import Foundation
import NIOSSL

/// Certificates that signed themselves, good for a hundred years: one for the address 127.0.0.1, one for the name `pinned.test`. Their keys lie beside
/// them, so they prove nothing to anybody. They were made by
///
///     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj "/CN=Martlet's tests" \
///       -addext subjectAltName=IP:127.0.0.1 -addext keyUsage=critical,digitalSignature,keyCertSign \
///       -addext extendedKeyUsage=serverAuth -keyout loopback-key.pem -out loopback-certificate.pem
package struct TestCertificate: Sendable {
  package static let loopback = TestCertificate("loopback")
  package static let named = TestCertificate("named")

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/tls")

  /// PEM files.
  package let path: String
  package let keyPath: String

  private init(_ name: String) {
    path = Self.folder.appendingPathComponent("\(name)-certificate.pem").path
    keyPath = Self.folder.appendingPathComponent("\(name)-key.pem").path
  }

  var serverContext: NIOSSLContext {
    get throws {
      let chain = try NIOSSLCertificate.fromPEMFile(path).map(NIOSSLCertificateSource.certificate)
      let key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
      return try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }
  }
}
