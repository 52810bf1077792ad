import { type Frame, FrameDecoder, jsonFrame, writeFrame } from "../../lib/frame/mod.ts";
import { Connection, dial } from "../../lib/net/mod.ts";
import { type Figures, median, runJson, type ServerProcess } from "./support.ts";

const ROUNDS = 3;

/** A bare connection to a broker. */
class Peer {
  readonly connection: Connection;
  readonly #decoder = new FrameDecoder();

  constructor(conn: Deno.Conn) {
    this.connection = new Connection(conn, 1_048_576);
  }

  static async to(port: number): Promise<Peer> {
    return new Peer(await dial({ transport: "tcp", hostname: "127.0.0.1", port }));
  }

  async send(op: string, fields: Record<string, unknown>, content?: Uint8Array): Promise<void> {
    const { output } = this.connection;
    writeFrame(output.buffer, { ...jsonFrame(""), header: { op, ...fields }, content });
    await output.flushed();
  }

  /** Reads frames until one of them is the last that is wanted. */
  async until(isLast: (frame: Frame) => boolean): Promise<void> {
    const { input } = this.connection;
    for (let over = false; !over;) {
      if (!await this.connection.read()) throw new Error("The broker closed");
      const { frames, consumed } = this.#decoder.decode(input.bytes, input.start, input.end);
      for (const frame of frames) over = isLast(frame) || over;
      input.consume(consumed);
    }
  }
}

/** How long from the first to the last of many subscribers that get one publication. */
export async function fanOutFigures(
  broker: () => Promise<ServerProcess>,
  subscribers: number,
  bytes: number,
): Promise<Figures> {
  await using server = await broker();
  const peers: Peer[] = [];
  while (peers.length < subscribers) {
    const dialled = Array.from({ length: 200 }, () => Peer.to(server.port));
    peers.push(...await Promise.all(dialled));
  }
  await Promise.all(peers.map(async (peer) => {
    await peer.send("sub", { topic: "all", id: 1 });
    await peer.until(({ header }) => header["op"] === "ok");
  }));
  const publisher = await Peer.to(server.port);
  const rounds: { first: number; spread: number; count: number }[] = [];
  for (let round = 0; round < 3; round++) {
    const times: number[] = [];
    const all = peers.map((peer) => peer.until(() => times.push(performance.now()) > 0));
    const startedAt = performance.now();
    await publisher.send("pub", { topic: "all" }, new Uint8Array(bytes));
    await Promise.all(all);
    const first = times[0]!;
    rounds.push({ first: first - startedAt, spread: times.at(-1)! - first, count: times.length });
  }
  for (const { connection } of [...peers, publisher]) connection.close("done");
  const label = `${subscribers} subscribers, ${bytes} B`;
  return {
    [`${label}: received by, at least`]: Math.min(...rounds.map(({ count }) => count)),
    [`${label}: publication to first ms`]: median(rounds.map(({ first }) => first)),
    [`${label}: first to last ms`]: median(rounds.map(({ spread }) => spread)),
  };
}

/** What a subscriber that stops reading costs nine others, and what it misses. */
export async function stoppedFigures(
  broker: () => Promise<ServerProcess>,
  load: string,
): Promise<Figures> {
  await using server = await broker();
  const args = ["socktool", server.port, 1, 9, 1_024, 200_000, 1];
  const before = await rateOf(load, args);
  const stopped = await Peer.to(server.port);
  await stopped.send("sub", { topic: "bench", id: 1 });
  await stopped.until(({ header }) => header["op"] === "ok");
  const after = await rateOf(load, args);
  const rss = residentBytes(server.pid);
  let received = 0;
  let missed = 0;
  const sent = ROUNDS * (200_000 - 200_000 % batchOf(1_024));
  await stopped.until(({ header }) => {
    if (header["op"] === "pub") received++;
    else if (header["op"] === "missed") missed += header["count"] as number;
    return received + missed >= sent;
  });
  stopped.connection.close("done");
  return {
    "one of ten stops reading: rate of the others to before": after / before,
    "one of ten stops reading: resident MB": rss / 1e6,
    "one of ten stops reading: sent": sent,
    "one of ten stops reading: received + missed": received + missed,
    "one of ten stops reading: missed": missed,
  };
}

async function rateOf(load: string, args: readonly (string | number)[]): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rates.push((await runJson(load, args))["delivered_per_s"]!);
  }
  return median(rates);
}

/** The load program sends whole batches of 64 KiB and more. */
function batchOf(payload: number): number {
  return 1 + Math.floor(65_536 / (payload + 200));
}

function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024;
}
