import { assert, assertEquals } from "@std/assert";
import { ChunkDecoder } from "../../../lib/frame/mod.ts";
import { dial } from "../../../lib/net/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { residentBytes } from "../../support/programs.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";
import { startAppTarget } from "./app_target.ts";
import { type Attack, makeAttack } from "./attack.ts";
import { startBrokerTarget } from "./broker_target.ts";
import type { Target } from "./target.ts";

/** A server's memory is looked at from this round on, when its code is warm. */
const WARM_ROUNDS = 30;

/** So much may come on top of what it had then. */
const MORE_MEMORY_BYTES = 150_000_000;

/** Descriptors that a server may open by itself, for files and the like. */
const SPARE_DESCRIPTORS = 8;

const MAX_CONNECTIONS = 12;
const LARGEST_ANSWER_BYTES = 16_777_216;

const linux = Deno.build.os === "linux";

/**
 * Sends an app server and a broker frames with mistakes in them. They have to live, to answer a
 * client that does nothing wrong, to answer each valid stream in full, to let go of connections and
 * to keep their memory.
 */
export const framesSoak: Soak = {
  name: "frames",
  async start(): Promise<RunningSoak> {
    await using stack = new AsyncDisposableStack();
    const victims: Victim[] = [];
    for (const startTarget of [startAppTarget, startBrokerTarget]) {
      victims.push(new Victim(stack.use(await startTarget())));
    }
    const running = stack.move();
    let rounds = 0;
    return {
      async round(random) {
        for (const victim of victims) await victim.round(random);
        rounds++;
      },
      get summary() {
        return `${rounds} rounds; ${victims.map(({ summary }) => summary).join("; ")}`;
      },
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  },
};

class Victim {
  readonly #target: Target;
  #rounds = 0;
  #connections = 0;
  #bytes = 0;
  #descriptors = Infinity;
  #warmBytes = Infinity;
  #mostBytes = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  get summary(): string {
    const memory = this.#mostBytes === 0 ? "" : `, ${Math.round(this.#mostBytes / 1e6)} MB at most`;
    return `${this.#target.name}: ${this.#connections} connections, ` +
      `${Math.round(this.#bytes / 1e6)} MB sent${memory}`;
  }

  async round(random: Random): Promise<void> {
    const { name, ingredients } = this.#target;
    if (this.#rounds === 0) {
      await this.#target.askNeighbour();
      this.#descriptors = this.#openDescriptors();
    }
    const attacks = Array.from(
      { length: random.int(1, MAX_CONNECTIONS) },
      () => makeAttack(random, ingredients),
    );
    const over = Promise.withResolvers<void>();
    using conns = new DisposableStack();
    const staying: Promise<void>[] = [];
    const going: Promise<void>[] = [];
    for (const attack of attacks) {
      const attacking = this.#attack(attack, conns, over.promise);
      // Looked at below, after the neighbour.
      attacking.catch(() => {});
      (attack.ending === "stay" ? staying : going).push(attacking);
    }
    try {
      // Both in the middle of the attack and after it.
      await this.#target.askNeighbour();
      await deadline(Promise.all(going), `${name}: the end of all connections`);
    } finally {
      over.resolve();
      conns.dispose();
      await Promise.allSettled([...going, ...staying]);
    }
    await Promise.all(staying);
    await this.#target.askNeighbour();
    this.#rounds++;
    await this.#checkServer();
  }

  /** Sends what one connection sends, and reads what the server says to it. */
  async #attack(attack: Attack, conns: DisposableStack, over: Promise<void>): Promise<void> {
    const conn = await dial(this.#target.server.address);
    const close = () => {
      try {
        conn.close();
      } catch {
        // It is closed.
      }
    };
    conns.defer(close);
    this.#connections++;
    const answers = attack.ending === "half-close" ? this.#read(conn) : undefined;
    answers?.catch(() => {});
    // A server that has had enough closes; it is the reading that is judged.
    await this.#send(conn, attack).catch(ignoreClosed);
    if (attack.ending === "stay") await over;
    if (answers === undefined) return close();
    await conn.closeWrite().catch(ignoreClosed);
    const count = await answers;
    close();
    if (count !== undefined && attack.validFrames !== undefined) {
      assertEquals(count, attack.validFrames, "answers to a stream of valid frames");
    }
  }

  async #send(conn: Deno.Conn, { pieces, ending }: Attack): Promise<void> {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const writing = conn.write(piece.subarray(at));
        // Whoever does not read is not read from in the end; that is not to be waited for.
        const count = await (ending === "half-close" ? writing : withinReason(writing));
        if (count === undefined) return;
        at += count;
        this.#bytes += count;
      }
    }
  }

  /** Reads to the end; how many answers came, `undefined` if the server ended it early. */
  async #read(conn: Deno.Conn): Promise<number | undefined> {
    const { isAnswer, isFarewell, isOwnFault, name } = this.#target;
    const decoder = new ChunkDecoder({ maxContentBytes: LARGEST_ANSWER_BYTES });
    const buffer = new Uint8Array(65_536);
    let answers: number | undefined = 0;
    for (;;) {
      const count = await conn.read(buffer).catch(ignoreClosed) ?? undefined;
      if (count === undefined) return answers;
      const { frames, error } = decoder.push(buffer.slice(0, count));
      for (const frame of frames) {
        if (isOwnFault(frame)) {
          const said = new TextDecoder().decode(frame.content.subarray(0, 300));
          throw new Error(`${name} tells of a mistake of its own: ${said}`);
        }
        if (isFarewell(frame)) answers = undefined;
        if (isAnswer(frame) && answers !== undefined) answers++;
      }
      assert(error === undefined, `${name} sends what is no frame: ${error}`);
    }
  }

  async #checkServer(): Promise<void> {
    const { name, server } = this.#target;
    assert(
      !/Uncaught|^\s+at file:/m.test(server.err),
      `${name} printed ${server.err.slice(-2_000)}`,
    );
    if (!linux) return;
    await until(
      () => this.#openDescriptors() <= this.#descriptors + SPARE_DESCRIPTORS,
      `${name} lets go of all connections`,
    );
    const bytes = residentBytes(server.pid);
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    if (this.#rounds <= WARM_ROUNDS) this.#warmBytes = bytes;
    const grown = bytes - this.#warmBytes;
    assert(grown < MORE_MEMORY_BYTES, `${name} has grown by ${Math.round(grown / 1e6)} MB`);
  }

  #openDescriptors(): number {
    return linux ? [...Deno.readDirSync(`/proc/${this.#target.server.pid}/fd`)].length : 0;
  }
}

/** What reading and writing throw on a connection that somebody has closed. */
const CLOSED = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
];

function ignoreClosed(error: unknown): undefined {
  if (!CLOSED.some((kind) => error instanceof kind)) throw error;
}

/** What a promise resolves to; `undefined` if it has not in half a second. */
async function withinReason<T>(promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), 500);
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
