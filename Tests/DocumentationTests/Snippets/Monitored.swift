import Martlet
import MartletCommands
import Metrics

func monitoredMain(_ backend: some MetricsFactory) async {
  MetricsSystem.bootstrap(backend)
  await MartletApp(schema: [Channels.self, Messages.self], functions: [Chat.self], name: "chat").main()
}
