/** The tutorial's first server: `socktool echo-server`. */
import { importLater } from "../lib/base/import_later.ts";
// Not the whole room: this server starts without its client and its threads.
import { serveEcho } from "../lib/echo/serve_echo.ts";
import type { ServerTls } from "../lib/net/mod.ts";
import { listen } from "../lib/net/listen.ts";
import {
  announce,
  defineCommand,
  logFormatFlag,
  maxMemoryOf,
  outputFlags,
  rereadOnHangup,
  runMain,
  serverTlsOf,
  untilDrained,
  warnOfOpenFiles,
} from "./_cli/mod.ts";
import { openHttp } from "./_web/open_http.ts";
import { recordConnections, recordFlags } from "./_capture/recording.ts";
import { connectionLines } from "./_echo/connection_lines.ts";
import { listenArgument, servingFlags } from "./_echo/serving_flags.ts";

export const command = defineCommand({
  name: "echo-server",
  summary: "send every client its own bytes back",
  role: "server",
  arguments: listenArgument,
  flags: {
    once: { type: "boolean", help: "exit after the first client" },
    ...servingFlags,
    ...recordFlags,
    ...logFormatFlag,
    ...outputFlags,
  },
  examples: [
    ["socktool echo-server", "listen on 127.0.0.1:5634"],
    ["socktool echo-server :0 --once", "serve one client on a free port, then exit"],
    ["socktool echo-server [::]:7777 -v", "listen on all interfaces, show what is echoed"],
    ["socktool echo-server unix:/tmp/echo.sock", "listen on a Unix socket"],
  ],
  notes: [
    "A client gets its bytes back until it closes its sending half; then the server closes the " +
    "connection. While a client does not read, nothing is read from it.",
  ],
  async run({ flags, args, given }, context) {
    const tls = await serverTlsOf(flags, context);
    await using http = await openHttp(flags, { tls }, context);
    using listener = await listen(args.address, { tls });
    await warnOfOpenFiles(flags, given, context);
    using served = await recordConnections(listener, flags, "echo-server", context);
    const server = serveEcho(served.listener, {
      maxConnections: flags["max-connections"],
      idleTimeoutMs: flags["idle-timeout"],
      maxMemoryBytes: maxMemoryOf(flags),
      drainTimeoutMs: flags["drain-timeout"],
      ...(flags.once ? { maxAccepted: 1 } : {}),
      signal: context.signal,
      observer: connectionLines(context, {
        json: flags.json,
        peers: flags.verbose || flags.json,
        data: flags.verbose,
      }),
    });
    if (http) {
      const { measureEcho } = await importLater<typeof import("./_web/echo_metrics.ts")>(
        new URL("./_web/echo_metrics.ts", import.meta.url),
      );
      measureEcho(http, server);
      http.ready();
    }
    announce(server.address, context, flags.json);
    const renewTls = async (tls: ServerTls) => {
      await server.renewTls(tls);
      await http?.renewTls(tls);
    };
    rereadOnHangup({ flags, renewTls }, context);
    await untilDrained(server, context);
  },
});

if (import.meta.main) await runMain(command);
