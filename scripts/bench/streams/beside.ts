/**
 * What those feel who store nothing: of a broker that has a store, and of a stream beside them that is
 * written as fast as it can be.
 *
 * @module
 */
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { LibraryProcess } from "../against/library.ts";
import { answersBesideFlood } from "../beside_flood.ts";
import { buildC, denoArgs, type Figures, freePort, median, ROOT } from "../support.ts";
import { runJson, startServer } from "../support.ts";
import { startBroker } from "./servers.ts";

const PAIRS = 9;

/** Payload, subscribers, and messages for about a second. */
const LOADS = [[16, 1, 1_000_000], [1_024, 10, 200_000]] as const;

/** What is written meanwhile, and how often. */
const FLOOD = "store, fsynced, 1024 outstanding, 1 KiB";
const FLOODS = 3;

/** Ratios, and times in milliseconds. */
export async function besideFigures(): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const { args } = stack.use(await startBroker());
  const port = Number(args[0]);
  const plainPort = freePort();
  const plainArgs = denoArgs("cmd/broker.ts", `127.0.0.1:${plainPort}`, "-q");
  stack.use(await startServer(Deno.execPath(), plainArgs, plainPort));
  const client = stack.use(
    await connectBroker({ transport: "tcp", hostname: "127.0.0.1", port }),
  );
  await client.streams.create("kept", { topics: ["kept"] });
  const program = await buildC("pubsub_load");
  const figures: Figures = {};
  for (const [payload, subscribers, count] of LOADS) {
    const rate = async (of: number) =>
      (await runJson(program, ["socktool", of, 1, subscribers, payload, count, 1]))[
        "delivered_per_s"
      ]!;
    const ratios: number[] = [];
    for (let i = 0; i < PAIRS; i++) {
      const plain = await rate(plainPort);
      ratios.push(await rate(port) / plain);
    }
    const title = `not stored, ${payload} B to ${subscribers}`;
    figures[`${title}: with --store to without`] = median(ratios);
  }
  const folder = `${ROOT}/scripts/bench`;
  const writer = stack.use(await LibraryProcess.start(ROOT, folder, "streams/socktool", args));
  const flood = async () => {
    for (let i = 0; i < FLOODS; i++) await writer.measure(FLOOD);
  };
  const questions = {
    "a confirmation": { op: "pub", topic: "other", id: 1 },
    "a stored one's": { op: "pub", topic: "kept", stored: true, id: 1 },
  };
  for (const [title, header] of Object.entries(questions)) {
    const { p50, p99 } = await answersBesideFlood(port, encodeFrame({ header }), flood);
    figures[`beside a stream written flat out: ${title} p50 ms`] = p50;
    figures[`beside a stream written flat out: ${title} p99 ms`] = p99;
  }
  return figures;
}
