import Testing

/// The real process, on a real socket and a real file.
///
/// Whatever the other tests show of the parts, a user meets the executable; so each promise of the protocol, and each guarantee
/// that can be seen from outside, is tested once more here, by its number, through nothing but bytes and signals.
///
/// The suites run one after another: each has its own server, and two at a time would only wait for each other's disk.
@Suite("End to end", .serialized)
enum EndToEnd {}
