import Foundation
import Testing

@testable import MartletServer

@Suite("Files that a server may have open")
struct FileDescriptorTests {
  @Test("The limit is raised as far as the process may, and some files are kept from clients, however few there are")
  func limits() {
    let limit = FileDescriptors.raiseLimit()
    var now = rlimit()
    #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &now) == 0)
    #expect(now.rlim_cur == now.rlim_max && limit == Int(clamping: now.rlim_max))
    #expect(FileDescriptors.raiseLimit() == limit)
    #expect([1, 4, 256, 1_024, 20_000, 1 << 20].map(FileDescriptors.forClients) == [1, 3, 192, 768, 19_000, (1 << 20) - 1_000])
    #expect(FileDescriptors.forClients(of: .max) == .max - 1_000)
  }
}
