import Martlet

/// What a redirect makes of a request.
struct Redirect {
  var request: Request
  var url: FetchURL

  /// What is known of the one who asks, and meant for the one who was asked.
  private static let credentials = ["authorization", "cookie", "proxy-authorization"]
  /// What speaks of a body that isn't sent any more.
  private static let ofBody = ["content-type", "content-encoding", "content-language", "content-location"]

  /// Nil for a response that is no redirect. As browsers do it: 307 and 308 repeat the request, after 303 it is a GET, and after 301 and 302
  /// too, where it was a POST.
  init?(_ request: Request, at url: FetchURL, status: Int, location: String?) throws(FetchError) {
    guard [301, 302, 303, 307, 308].contains(status), let location else { return nil }
    let next: FetchURL
    do throws(FetchURL.Problem) { next = try url.resolving(location) } catch {
      throw FetchError("\(url)", .refused("it redirects to what isn't fetched: \(error.reason)"))
    }
    guard next.isSecure || !url.isSecure else {
      throw FetchError("\(url)", .refused("it redirects from https to http, where anybody on the way could read along"))
    }
    var request = request
    let becomesGet = status == 303 ? request.method != .head : status < 303 && request.method == .post
    if becomesGet {
      request.method = .get
      request.body = []
      for name in Self.ofBody { request.headers[name] = nil }
    }
    if next.origin != url.origin {
      for name in Self.credentials { request.headers[name] = nil }
    }
    self.request = request
    self.url = next
  }
}
