import Testing

@testable import Martlet
@testable import MartletServer

@Suite("How much memory there is, and may be used")
struct MemoryLimitTests {
  @Test(
    "Sizes as they are written",
    arguments: [
      ("512MB", .bytes(512 << 20)), ("8GB", .bytes(8 << 30)), ("1.5 GiB", .bytes(3 << 29)), ("100000000", .bytes(100_000_000)), ("1t", .bytes(1 << 40)),
      ("75%", .share(0.75)), ("100 %", .share(1)), ("none", .unlimited), ("99999999999T", .bytes(.max)),
      ("", nil), ("MB", nil), ("0", nil), ("-1GB", nil), ("10MB", nil), ("101%", nil), ("0%", nil), ("8PB", nil), ("8GB!", nil), ("1..5GB", nil), ("inf", nil),
    ] as [(String, MemoryLimit?)])
  func sizes(_ text: String, _ limit: MemoryLimit?) {
    #expect(MemoryLimit(text) == limit)
  }

  @Test("A share is of what there is, and never too little to start; where the system doesn't say, there is no limit")
  func shares() {
    #expect(MemoryLimit.share(0.8).bytes(of: 1_000_000_000) == 800_000_000)
    #expect(MemoryLimit.share(0.5).bytes(of: 32 << 20) == MemoryLimit.least)
    #expect(MemoryLimit.share(0.5).bytes(of: nil) == nil)
    #expect(MemoryLimit.unlimited.bytes(of: 1 << 30) == nil)
    #expect(MemoryLimit.bytes(5 << 30).bytes(of: 1 << 30) == 5 << 30)
    #expect((MachineMemory.bytes() ?? 0) > 64 << 20)
  }

  @Test("The least limit of the control groups holds, of both versions")
  func groups() {
    let second = ["/a.slice/b.service/memory.max": "max\n", "/a.slice/memory.max": "1000000\n", "/memory.max": "max"]
    #expect(MachineMemory.groupLimit("0::/a.slice/b.service\n") { second[$0] } == 1_000_000)
    #expect(MachineMemory.groupLimit("0::/\n") { ["/memory.max": "536870912\n"][$0] } == 536_870_912)
    #expect(MachineMemory.groupLimit("0::/\n") { _ in nil } == nil)
    let first = ["/memory/docker/x/memory.limit_in_bytes": "300000000", "/memory/memory.limit_in_bytes": "9223372036854771712"]
    #expect(MachineMemory.groupLimit("5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n") { first[$0] } == 300_000_000)
    #expect(MachineMemory.groupLimit("") { _ in "1" } == nil)
  }

  @Test("The meter of this process tells what is resident where the limit is far, and near it no more, and no less than is allocated")
  func meter() {
    let meter = ProcessMemoryMeter()
    let resident = ProcessMemory.residentBytes
    #expect(resident > 1 << 20)
    let far = meter.usedBytes(limit: .max)
    #expect(abs(far - resident) < 64 << 20)
    let near = meter.usedBytes(limit: resident)
    #expect(near > resident / 4 && near < resident + 64 << 20)
  }
}
