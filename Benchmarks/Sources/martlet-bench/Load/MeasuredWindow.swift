/// The measured time of a run, and the processor time that both sides used in it.
struct MeasuredWindow {
  private let startNanoseconds: UInt64
  private let serverProcess: Int32
  private let clientAtStart: UInt64
  private let serverAtStart: UInt64
  private let waitedAtStart: UInt64

  init(startNanoseconds: UInt64, serverProcess: Int32) {
    self.startNanoseconds = startNanoseconds
    self.serverProcess = serverProcess
    clientAtStart = ProcessorTime.ofThisProcess()
    serverAtStart = ProcessorTime.of(process: serverProcess)
    waitedAtStart = ProcessorTime.waitedByThisThread()
  }

  func close(into result: inout LoadResult, at now: UInt64) {
    let elapsed = max(1, now - startNanoseconds)
    result.elapsedNanoseconds = elapsed
    func share(_ before: UInt64, _ after: UInt64) -> Double { Double(max(before, after) - before) / Double(elapsed) }
    result.clientProcessorShare = share(clientAtStart, ProcessorTime.ofThisProcess())
    result.serverProcessorShare = share(serverAtStart, ProcessorTime.of(process: serverProcess))
    result.disturbedShare = share(waitedAtStart, ProcessorTime.waitedByThisThread())
  }
}
