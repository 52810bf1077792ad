/** What is in a capture: `socktool inspect`. */
import {
  type CaptureResult,
  type CaptureSource,
  type FrameObserver,
  readCapture,
  TrafficSummary,
  watchFrames,
} from "../lib/capture/mod.ts";
import { keptFor, matchFlags, readMatches } from "./_capture/match_flags.ts";
import { FrameReport } from "./_capture/frame_report.ts";
import { summaryLines, summaryObject } from "./_capture/summary_lines.ts";
import {
  type Context,
  defineCommand,
  describeError,
  EXIT,
  formatBytes,
  runMain,
} from "./_cli/mod.ts";

export const command = defineCommand({
  name: "inspect",
  summary: "show the frames, conversations and latencies in a capture, or in a stream of bytes",
  arguments: {
    file: {
      type: "path",
      hint: "file",
      help: "a pcapng or pcap file of any program, or the bytes of one side; - for stdin",
    },
  },
  flags: {
    show: {
      type: "choice",
      choices: ["all", "frames", "conversations", "summary"],
      default: "all",
      help: "print frames, a line for each conversation, the summary, or all of them",
    },
    ...matchFlags,
  },
  examples: [
    ["socktool inspect session.pcapng", "frames with their latencies, then a summary"],
    ["socktool inspect big.pcap --show summary", "figures by op or action"],
    ["socktool inspect s.pcapng --match 'op=pub topic=orders.>' -v", "some frames, whole"],
    ["tcpdump -i lo -w - port 5634 | socktool inspect -", "what goes over a port"],
  ],
  notes: [
    "Captures with Ethernet, Linux cooked, loopback and raw IP packets are understood. What was sent " +
    "again is left out; bytes that the capture does not have are told as gaps, and never joined. " +
    "After a gap, and where a stream was not captured from its start, frames are found again.",
    "> goes to the server, < comes back. Times are seconds since the first connection; an answer " +
    "has the time since its request. Tokens and passwords of a hello are shown as ***.",
  ],
  exitCodes: { 1: "failed, or the capture is damaged: what comes before the damage is shown" },
  async run({ flags, args }, context) {
    const matches = readMatches(flags);
    const { show, json } = flags;
    const shows = (what: typeof show) => show === "all" || show === what;
    const summary = await TrafficSummary.create();
    const report = new FrameReport(context, {
      json,
      whole: flags.verbose,
      hexBytes: flags.hex,
      secrets: !flags.redact,
      matches,
    });
    using source = await openCapture(args.file);
    const what = args.file === "-" ? "stdin" : args.file;
    const observer = observerOf(summary, report, shows("frames"), shows("conversations"));
    const options = { signal: context.signal, room: () => report.room() };
    const result = await readCapture(source, watchFrames(observer, keptFor(flags)), options).catch(
      (error) => {
        throw new Error(describeError(error, `read ${what}`), { cause: error });
      },
    );
    if (shows("summary")) {
      const figures = summary.figures();
      if (json) await context.out.json(summaryObject(figures, result));
      else {
        if (show === "all") await context.out.line("");
        for (const line of summaryLines(figures, result)) await context.out.line(line);
      }
    }
    return tellProblems(result, what, context);
  },
});

/** Every frame counts for the summary; what is asked for is printed. */
function observerOf(
  summary: TrafficSummary,
  report: FrameReport,
  frames: boolean,
  conversations: boolean,
): FrameObserver {
  return {
    opened(connection) {
      summary.opened(connection);
      report.opened(connection);
    },
    frame(event) {
      summary.frame(event);
      if (frames) report.frame(event);
    },
    broken(error, place) {
      summary.broken(error);
      if (frames) report.broken(error, place);
    },
    skipped(count, reason, place) {
      summary.skipped(count);
      if (frames) report.skipped(count, reason, place);
    },
    gap(count, place) {
      summary.gap(count);
      if (frames) report.gap(count, place);
    },
    closed(...ending) {
      summary.closed(...ending);
      if (conversations) report.connection(...ending);
    },
  };
}

async function openCapture(path: string): Promise<CaptureSource & Disposable> {
  if (path !== "-") return await Deno.open(path);
  return { read: (into) => Deno.stdin.read(into), [Symbol.dispose]: () => {} };
}

/** Says what is wrong with the file itself. @returns the exit code. */
function tellProblems(result: CaptureResult, path: string, { log }: Context): number | undefined {
  const { damage, unfinishedBytes, packets, format, skippedPackets, unknownLinkTypes } = result;
  if (damage) {
    log.error(`${path}: ${describeError(damage)}`);
    return EXIT.failed;
  }
  if (unfinishedBytes > 0) {
    log.warn(
      `${path} ends within a packet, of which ${formatBytes(unfinishedBytes)} are there: its ` +
        "writer was ended by force",
    );
  }
  if (unknownLinkTypes.length > 0) {
    log.warn(`${path} has packets of link types that are not understood: ${unknownLinkTypes}`);
  }
  const tcp = packets - skippedPackets.other - skippedPackets.cut - skippedPackets.fragment;
  if (format !== "bytes" && tcp === 0) log.warn(`${path} has no TCP in it`);
  return undefined;
}

if (import.meta.main) await runMain(command);
