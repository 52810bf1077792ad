/** Plays a recording back: `socktool replay`. */
import {
  CaptureError,
  loadRecording,
  type Recording,
  replayClient,
  type ReplayDifference,
  type ReplayOptions,
  type ReplayResult,
  serveReplay,
} from "../lib/capture/mod.ts";
import { listen } from "../lib/net/mod.ts";
import { escapeLine } from "./_capture/frame_report.ts";
import {
  announce,
  clientTlsFlags,
  clientTlsOf,
  connectTimeoutFlag,
  type Context,
  defineCommand,
  describeError,
  EXIT,
  formatBytes,
  formatCount,
  jsonFlag,
  quietFlag,
  runMain,
  UsageError,
} from "./_cli/mod.ts";

export const command = defineCommand({
  name: "replay",
  summary: "play the clients or the server of a recording, and check what the other side says",
  arguments: {
    file: { type: "path", hint: "file", help: "a pcapng or pcap file, as --record makes them" },
  },
  flags: {
    to: {
      type: "address",
      webSocket: true,
      conflicts: ["serve"],
      help: "play the clients: connect to this server, and send what was recorded",
    },
    serve: {
      type: "address",
      help: "play the server: listen here, and answer as recorded, connection by connection",
    },
    timing: {
      type: "boolean",
      group: "Pace",
      conflicts: ["speed", "as-fast"],
      help: "send at the recorded times; by default, when the answers recorded before have come",
    },
    speed: {
      type: "number",
      placeholder: "TIMES",
      min: 0.001,
      group: "Pace",
      conflicts: ["as-fast"],
      help: "divide the recorded waits by this: 10 sends ten times as fast",
    },
    "as-fast": {
      type: "boolean",
      group: "Pace",
      help: "send without waiting for answers",
    },
    timeout: {
      type: "duration",
      default: "10s",
      min: 1,
      group: "Pace",
      help: "wait this long for answers that were recorded and do not come",
    },
    check: {
      type: "boolean",
      group: "Check",
      help: "compare what comes with what was recorded; exit with 3 where it differs",
    },
    ignore: {
      type: "string",
      placeholder: "PATH",
      repeat: true,
      group: "Check",
      requires: ["check"],
      help: "a value that may differ, in a JSON content or a header: hits.score, epoch",
    },
    ...connectTimeoutFlag,
    ...clientTlsFlags,
    ...jsonFlag,
    ...quietFlag,
  },
  examples: [
    ["socktool replay session.pcapng --to :5634", "send what the clients sent"],
    ["socktool replay s.pcapng --to :5634 --check --ignore hits.score", "a test of a server"],
    ["socktool replay s.pcapng --to :5635 --speed 10", "in a tenth of the time"],
    ["socktool replay s.pcapng --serve :5634", "a stand-in for the server"],
  ],
  notes: [
    "Connections of which the capture lacks bytes are left out. At most 256 MiB of traffic are played.",
    "Answers of requests are compared in their order; those of a broker with the one of the same id, " +
    "and publications in the order of their topic. Pings do not count.",
  ],
  exitCodes: {
    1: "failed: a connection broke, or recorded answers did not come",
    3: "with --check: an answer differs, or did not come",
  },
  async run({ flags, args }, context) {
    const { to, serve, json } = flags;
    if (to === undefined && serve === undefined) {
      throw new UsageError(
        "say whom to play: --to ADDRESS for the clients, --serve ADDRESS for " +
          "the server",
      );
    }
    const recording = await load(args.file, context);
    const options: ReplayOptions = {
      pace: flags["as-fast"] ? "at-once" : flags.timing || flags.speed ? "recorded" : "answers",
      speed: flags.speed,
      answerTimeoutMs: flags.timeout,
      check: flags.check,
      ignore: flags.ignore,
      signal: context.signal,
      onDifference: differenceLines(context, json),
    };
    let result: ReplayResult;
    if (to !== undefined) {
      const tls = await clientTlsOf(flags, context);
      const dial = { tls, timeoutMs: flags["connect-timeout"] };
      result = await replayClient(recording, to, { ...options, dial });
    } else {
      const listener = await listen(serve!);
      announce(listener.address, context, json);
      result = await serveReplay(recording, listener, options);
    }
    context.signal.throwIfAborted();
    return report(result, flags, context);
  },
});

async function load(path: string, { log }: Context): Promise<Recording> {
  let recording: Recording;
  try {
    using file = await Deno.open(path);
    recording = await loadRecording(file);
  } catch (error) {
    if (error instanceof CaptureError) {
      throw new CaptureError(error.code, `${path}: ${describeError(error)}`, { cause: error });
    }
    throw new Error(describeError(error, `read ${path}`), { cause: error });
  }
  const { sessions, incomplete } = recording;
  if (incomplete > 0) {
    log.warn(`${formatCount(incomplete, "connection")} left out: the capture lacks bytes of them`);
  }
  if (sessions.length === 0) throw new Error(`${path} has no whole connection to be played`);
  return recording;
}

/** The most differences that are printed. The rest are only counted. */
const MAX_TOLD = 100;

function differenceLines({ out }: Context, json: boolean): (difference: ReplayDifference) => void {
  let told = 0;
  return ({ connection, answer, differences }) => {
    if (++told > MAX_TOLD) return;
    if (json) return void out.json({ type: "difference", connection, answer, differences });
    for (const { path, recorded, came } of differences) {
      const where = answer === undefined ? "" : ` answer ${answer},`;
      const line = `#${connection}${where} ${path}: recorded ${recorded ?? "nothing"}, ` +
        `${came ?? "nothing"} came`;
      out.line(escapeLine(line));
    }
    if (told === MAX_TOLD) out.line("… further differences are counted, not shown");
  };
}

function report(
  result: ReplayResult,
  { json, check }: { readonly json: boolean; readonly check: boolean },
  { out, log }: Context,
): number {
  const {
    connections,
    sentBytes,
    receivedFrames,
    receivedBytes,
    late,
    failed,
    failure,
    differences,
  } = result;
  if (json) {
    out.json({
      type: "summary",
      connections,
      sent_bytes: sentBytes,
      received_frames: receivedFrames,
      received_bytes: receivedBytes,
      late,
      failed,
      ...(check ? { differences } : {}),
    });
  } else {
    log.info(
      `played ${formatCount(connections, "connection")}: ${formatBytes(sentBytes)} sent, ` +
        `${formatBytes(receivedBytes)} came, in ${formatCount(receivedFrames, "frame")}` +
        (check ? `, ${formatCount(differences, "difference")}` : ""),
    );
  }
  if (failed > 0) {
    log.error(`${formatCount(failed, "connection")} broke: ${describeError(failure)}`);
  }
  if (late > 0) {
    log.error(
      `on ${formatCount(late, "connection")} not all that was recorded came in time`,
    );
  }
  if (check && differences > 0) return EXIT.threshold;
  return failed > 0 || late > 0 ? EXIT.failed : EXIT.ok;
}

if (import.meta.main) await runMain(command);
