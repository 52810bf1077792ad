/** The tutorial's second server, for many clients: `socktool multiconn-server`. */
import { PeriodicLook } from "../lib/base/periodic_look.ts";
import type { EchoServer } from "../lib/echo/mod.ts";
// Not `mod.ts`: that would load the echo client too.
import { serveEcho } from "../lib/echo/serve_echo.ts";
import { serveEchoThreads } from "../lib/echo/serve_echo_threads.ts";
import type { ServerTls } from "../lib/net/mod.ts";
import { listen } from "../lib/net/listen.ts";
import {
  announce,
  type Context,
  defineCommand,
  jsonSeconds,
  logFormatFlag,
  maxMemoryOf,
  outputFlags,
  rereadOnHangup,
  runMain,
  serverTlsOf,
  untilDrained,
  UsageError,
  warnOfOpenFiles,
} from "./_cli/mod.ts";
import { measureEcho } from "./_web/echo_metrics.ts";
import { openHttp } from "./_web/open_http.ts";
import { recordConnections, recordFlags } from "./_capture/recording.ts";
import { connectionLines, figuresLine } from "./_echo/connection_lines.ts";
import { listenArgument, servingFlags } from "./_echo/serving_flags.ts";

export const command = defineCommand({
  name: "multiconn-server",
  summary: "echo for many clients at once, and report each one",
  role: "server",
  arguments: listenArgument,
  flags: {
    workers: {
      type: "integer",
      default: "1",
      min: 1,
      max: 64,
      help: "serve in this many threads; more than one needs Linux and TCP",
    },
    ...servingFlags,
    ...recordFlags,
    stats: {
      type: "duration",
      min: 100,
      group: "Output",
      help: "print a line of figures at this interval",
    },
    ...logFormatFlag,
    ...outputFlags,
  },
  examples: [
    ["socktool multiconn-server", "listen on 127.0.0.1:5634, a line per client"],
    ["socktool multiconn-server :7777 -v", "show the data as well"],
    ["socktool multiconn-server :7777 -q --stats 1s --workers 4", "four threads, figures only"],
    ["socktool multiconn-server :7777 --json | jq .", "one JSON object per line, for programs"],
  ],
  notes: ["-q leaves out the line per client, but not the figures of --stats."],
  async run({ flags, args, given }, context) {
    const tls = await serverTlsOf(flags, context);
    await warnOfOpenFiles(flags, given, context, flags.workers);
    const options = {
      maxConnections: flags["max-connections"],
      idleTimeoutMs: flags["idle-timeout"],
      maxMemoryBytes: maxMemoryOf(flags),
      drainTimeoutMs: flags["drain-timeout"],
      signal: context.signal,
      observer: connectionLines(context, {
        json: flags.json,
        peers: !flags.quiet,
        data: flags.verbose,
      }),
    };
    await using http = await openHttp(flags, { tls }, context);
    if (flags.workers > 1 && flags.record !== undefined) {
      throw new UsageError("--record: one thread can be recorded, not --workers " + flags.workers);
    }
    const listener = flags.workers > 1 ? undefined : await listen(args.address, { tls });
    using served = listener &&
      await recordConnections(listener, flags, "multiconn-server", context);
    const server = served
      ? serveEcho(served.listener, options)
      : await serveEchoThreads(args.address, flags.workers, { ...options, tls });
    measureEcho(http, server);
    http?.ready();
    announce(server.address, context, flags.json);
    using _stats = printStats(server, flags.stats, context, flags.json);
    const renewTls = async (tls: ServerTls) => {
      await server.renewTls(tls);
      await http?.renewTls(tls);
    };
    rereadOnHangup({ flags, renewTls }, context);
    await untilDrained(server, context);
  },
});

/** Prints figures at an interval, if there is one, until disposed of. */
function printStats(
  server: EchoServer,
  everyMs: number | undefined,
  { out, say }: Context,
  json: boolean,
): Disposable {
  const startedAt = performance.now();
  let before = server.figures();
  let beforeAt = startedAt;
  const printing = new PeriodicLook(everyMs ?? Infinity, (now) => {
    const figures = server.figures();
    if (json) {
      const { readBytes: bytes_in, writtenBytes: bytes_out, ...counts } = figures;
      out.json({
        type: "stats",
        elapsed_s: jsonSeconds(now - startedAt),
        ...counts,
        bytes_in,
        bytes_out,
      });
    } else say(figuresLine(figures, before, now - beforeAt));
    [before, beforeAt] = [figures, now];
  });
  printing.start();
  return printing;
}

if (import.meta.main) await runMain(command);
