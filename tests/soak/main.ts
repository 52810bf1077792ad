/**
 * `deno task soak`: long tests, to be run before a release and after changes to code that parses or
 * stores. They find what a minute of tests does not; `deno task test` does not run them.
 *
 * @module
 */
import { formatDuration } from "../../cmd/_cli/mod.ts";
import { runScript, say } from "../../scripts/pack/script.ts";
import { appServerAttacksSoak } from "./attacks/app_server_attacks_soak.ts";
import { attacksSoak } from "./attacks/attacks_soak.ts";
import { inspectSoak } from "./capture/inspect_soak.ts";
import { FRAME_SOAKS } from "./frames/frames_soak.ts";
import { gatewaysSoak, natsSoak } from "./nats/nats_soak.ts";
import { flatOutSoak } from "./pubsub/flat_out_soak.ts";
import { propertiesSoak } from "./properties/properties_soak.ts";
import { faultsSoak } from "./proxy/faults_soak.ts";
import { proxySoak } from "./proxy/proxy_soak.ts";
import { pubsubSoak } from "./pubsub/pubsub_soak.ts";
import { slowReadersSoak } from "./pubsub/slow_readers_soak.ts";
import { runSoak } from "./run_soak.ts";
import { type Soak, SoakError } from "./soak.ts";
import { streamsSoak } from "./streams/streams_soak.ts";
import { webSocketSoak } from "./web/web_socket_soak.ts";

const SOAKS: readonly Soak[] = [
  ...FRAME_SOAKS,
  pubsubSoak,
  flatOutSoak,
  slowReadersSoak,
  streamsSoak,
  natsSoak,
  gatewaysSoak,
  webSocketSoak,
  inspectSoak,
  attacksSoak,
  appServerAttacksSoak,
  proxySoak,
  faultsSoak,
  propertiesSoak,
];

await runScript({
  task: "soak",
  about: "Sends servers frames with mistakes for a long time, beside a client that makes none: " +
    SOAKS.map(({ name }) => name).join(", "),
  arguments: {
    seconds: {
      type: "integer",
      min: 1,
      max: 1_000_000,
      default: "60",
      help: "for how long, all soaks together",
    },
  },
  flags: {
    seed: {
      type: "integer",
      min: 0,
      max: 2 ** 32 - 1,
      help: "of the first round; a round that failed names its own",
    },
    frames: {
      type: "integer",
      min: 1,
      max: 1_000_000_000,
      help: "at least so many, of each soak that is about frames, however long it takes",
    },
    only: {
      type: "choice",
      choices: SOAKS.map(({ name }) => name),
      repeat: true,
      placeholder: "NAME",
      help: "this soak and no other",
    },
  },
  async run(flags, { seconds }) {
    const { seed = crypto.getRandomValues(new Uint32Array(1))[0]!, frames, only } = flags;
    const chosen = SOAKS.filter(({ name }) => only.length === 0 || only.includes(name));
    const interruption = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => interruption.abort());
    }
    for (const soak of chosen) {
      const durationMs = seconds * 1_000 / chosen.length;
      say(`${soak.name}: ${formatDuration(durationMs)} from seed ${seed}`);
      const begin = performance.now();
      try {
        const summary = await runSoak(soak, {
          seed,
          durationMs,
          minFrames: frames,
          signal: interruption.signal,
          onProgress: (summary) => say(`${soak.name}: ${summary}`),
        });
        const took = formatDuration(performance.now() - begin);
        say(`${soak.name}: ${summary} in ${took}: all well`);
      } catch (error) {
        if (!(error instanceof SoakError)) throw error;
        say(`${soak.name}: FAILED in the round of seed ${error.seed}`);
        say(error.cause instanceof Error ? error.cause.stack ?? error.message : error.message);
        say(`again: deno task soak 1 --only ${soak.name} --seed ${error.seed}`);
        return 1;
      }
      if (interruption.signal.aborted) return 130;
    }
    return 0;
  },
});
