import Martlet
import NIOSSL

/// Whose certificates are believed when actions fetch over TLS: the system's authorities, and those that the rules add.
///
/// A server whose certificate isn't believed is refused, and that is final (`FetchError.isRetryable` is false): a certificate that is expired, signed by
/// an unknown authority or made for another host is as wrong at the next try, and a retrier should tell of it at once. Other failures of TLS (a
/// connection that ends, a server that speaks no TLS) are failures of the network.
enum FetchTrust {
  /// Nil where the rules add nothing.
  /// - Throws: where a file can't be read, or holds no certificate.
  static func configuration(_ rules: FetchRules) throws(ServerError) -> TLSConfiguration? {
    guard !rules.trustedCertificates.isEmpty else { return nil }
    var certificates: [NIOSSLCertificate] = []
    for path in rules.trustedCertificates {
      guard let found = try? NIOSSLCertificate.fromPEMFile(path), !found.isEmpty else {
        throw ServerError("can't read certificates to trust from \(path): it must be a PEM file, with BEGIN CERTIFICATE in it")
      }
      certificates += found
    }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.additionalTrustRoots = [.certificates(certificates)]
    return configuration
  }

  /// Why a server's certificate isn't believed; nil for any other error. (NIOSSL also takes a certificate for the address that is connected to, whatever
  /// the name: who has one of those speaks for the address that was looked up and checked.)
  static func problem(_ error: any Error, of host: String) -> String? {
    switch error {
    case NIOSSLError.handshakeFailed(let reason) where "\(reason)".contains("CERTIFICATE_VERIFY_FAILED"):
      "the certificate of \(host) is not trusted: it has expired, or no known authority signed it; to trust its authority, start the server with "
        + "--fetch-trust FILE, a PEM file"
    case let error as NIOSSLExtraError where error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch:
      "the certificate of \(host) is for another host"
    default: nil
    }
  }
}
