/** A proxy that shows what passes: `socktool tap`. */
import { watchFrames } from "../lib/capture/mod.ts";
import { formatAddress } from "../lib/net/mod.ts";
import type { ProxyObserver } from "../lib/proxy/mod.ts";
import { FrameReport } from "./_capture/frame_report.ts";
import { keptFor, matchFlags, readMatches } from "./_capture/match_flags.ts";
import { proxyTraffic } from "./_capture/proxy_traffic.ts";
import { rawTraffic } from "./_capture/raw_traffic.ts";
import { startRecording } from "./_capture/recording.ts";
import {
  clientTlsFlags,
  type Context,
  defineCommand,
  logAcceptFailures,
  quietFlag,
  runMain,
  serverTlsFlags,
  untilDrained,
  warnOfOpenFiles,
} from "./_cli/mod.ts";
import { FailedConnections } from "./_proxy/failed_connections.ts";
import { relayArguments, relayFlags, startRelay } from "./_proxy/relaying.ts";

export const command = defineCommand({
  name: "tap",
  summary: "stand between clients and a server, and show each frame that passes",
  role: "server",
  arguments: relayArguments,
  flags: {
    ...matchFlags,
    raw: {
      type: "boolean",
      conflicts: ["match"],
      help: "show bytes as they come, not frames: for protocols of any kind",
    },
    ...relayFlags,
    ...serverTlsFlags,
    ...clientTlsFlags,
    quiet: { ...quietFlag.quiet, help: "show nothing, but warnings and errors" },
  },
  examples: [
    ["socktool tap :6000 :5634", "show what clients of port 6000 and the server on 5634 say"],
    ["socktool tap :6000 :5635 --match 'op=pub topic=orders.>' -v", "some publications, whole"],
    ["socktool tap :6000 example.org:80 --raw", "any protocol"],
    ["socktool tap :6000 example.org:443 --tls --raw", "what clients say through TLS"],
    ["socktool tap :6000 :5634 --record s.pcapng -q", "record, and show nothing else"],
  ],
  notes: [
    "A line has the seconds since the first connection; for an answer, the time since its request; " +
    "the connection; > to the server or < back; the frame's op, action or type, its fields, and its " +
    "content, cut unless -v is given. Frames that are broken are shown with their code. Everything " +
    "is passed on as it is.",
    "Tokens and passwords of a hello are shown as ***. While the output does not keep up, frames are " +
    "left out of it, and counted; the traffic does not wait.",
  ],
  async run({ flags, args, given }, context) {
    const matches = readMatches(flags);
    const { json, raw, quiet } = flags;
    const secrets = !flags.redact;
    const report = new FrameReport(context, {
      json,
      whole: flags.verbose,
      hexBytes: flags.hex,
      secrets,
      matches,
      live: true,
    });
    await warnOfOpenFiles({ "max-connections": 2 * flags["max-connections"] }, given, context);
    const what = `tap of ${formatAddress(args.upstream)}`;
    using recorder = await startRecording(flags, what, context);
    const watch = quiet ? undefined : raw ? rawTraffic(report, secrets) : watchFrames({
      opened: (connection) => report.opened(connection),
      frame: (event) => report.frame(event),
      broken: (error, place) => report.broken(error, place),
      skipped: (count, reason, place) => report.skipped(count, reason, place),
      closed: (...ending) => report.connection(...ending),
    }, keptFor(flags));
    const observer = proxyTraffic(watch, recorder, failures(context));
    const proxy = await startRelay({ args, flags }, context, { observer });
    await untilDrained(proxy, context);
  },
});

/** Tells of connections that came to nothing. */
function failures({ log }: Context): ProxyObserver {
  const failed = new FailedConnections(log, "tap");
  return {
    closed: ({ id }, reason, error) => void failed.closed(id, reason, error),
    acceptFailed: logAcceptFailures(log),
  };
}

if (import.meta.main) await runMain(command);
