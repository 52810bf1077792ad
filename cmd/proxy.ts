/** A proxy between clients and a server: `socktool proxy`. */
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
    const proxy = await orUsageError(() =>
      serveProxy(args.listen, args.upstream, {
        connectTimeoutMs: flags["connect-timeout"],
        maxConnections: flags["max-connections"],
        drainTimeoutMs: flags["drain-timeout"],
        signal: context.signal,
        observer: connectionReport(context, flags.json),
      })
    );
    announce(proxy.address, context, flags.json);
    await untilDrained(proxy, context);
  },
});

/** What the library says of its arguments is a mistake in the command line. */
async function orUsageError<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    throw new UsageError(error.message.replace("Cannot", "cannot"));
  }
}

if (import.meta.main) await runMain(command);
