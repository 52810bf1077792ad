/** A proxy between clients and a server: `socktool proxy`. */
import { formatAddress } from "../lib/net/mod.ts";
import { ProxyError, serveProxy } from "../lib/proxy/mod.ts";
import {
  announce,
  connectTimeoutFlag,
  defineCommand,
  limitFlags,
  outputFlags,
  runMain,
  untilDrained,
  UsageError,
  warnOfOpenFiles,
} from "./_cli/mod.ts";
import { proxyTraffic } from "./_capture/proxy_traffic.ts";
import { recordFlags, startRecording } from "./_capture/recording.ts";
import { connectionReport } from "./_proxy/connection_report.ts";

export const command = defineCommand({
  name: "proxy",
  summary: "stand between clients and a server, and pass on all that they send",
  role: "server",
  arguments: {
    listen: { type: "address", help: "the address to listen on; port 0 picks a free port" },
    upstream: { type: "address", help: "the server to connect to, once for each client" },
  },
  flags: {
    ...recordFlags,
    ...connectTimeoutFlag,
    "max-connections": limitFlags["max-connections"],
    "drain-timeout": limitFlags["drain-timeout"],
    ...outputFlags,
  },
  examples: [
    ["socktool proxy :6000 :5634", "listen on port 6000, connect to port 5634"],
    ["socktool proxy :6000 example.org:80 -v", "show who connects"],
    ["socktool proxy :0 unix:/tmp/echo.sock --json", "print what happens as JSON"],
  ],
  notes: [
    "Half-closed connections and resets pass in both directions. While one side does not read, " +
    "nothing is read from the other. A client whose server cannot be reached is reset.",
  ],
  async run({ flags, args, given }, context) {
    await warnOfOpenFiles(
      { "max-connections": 2 * flags["max-connections"] },
      given,
      context,
    );
    const what = `proxy of ${formatAddress(args.upstream)}`;
    using recorder = await startRecording(flags, what, context);
    const report = connectionReport(context, flags.json);
    const proxy = await orUsageError(() =>
      serveProxy(args.listen, args.upstream, {
        connectTimeoutMs: flags["connect-timeout"],
        maxConnections: flags["max-connections"],
        drainTimeoutMs: flags["drain-timeout"],
        signal: context.signal,
        observer: recorder ? proxyTraffic(undefined, recorder, report) : report,
      })
    );
    announce(proxy.address, context, flags.json);
    await untilDrained(proxy, context);
  },
});

/** What the library says of its arguments is a mistake in the command line. */
export async function orUsageError<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    throw new UsageError(error.message.replace("Cannot", "cannot"));
  }
}

if (import.meta.main) await runMain(command);
