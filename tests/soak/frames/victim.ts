import { assert } from "@std/assert";
import { dial } from "../../../lib/net/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { residentBytes } from "../../support/programs.ts";
import type { Random } from "../random.ts";
import { type Attack, makeAttack } from "./attack.ts";
import type { Judge } from "./judge.ts";
import { FRAME_TIMEOUT_MS, type Target } from "./target.ts";

/** A server's memory is looked at from this round on, when its code is warm. */
const WARM_ROUNDS = 32;

/**
 * So much may come on top of what it had at the last round that is a power of two. What is kept to be
 * faster, and what allocators leave unused, grows less and less: servers with TLS take 110 MB more
 * after 500 rounds than after 32, and no more after 2,000. A leak grows as before.
 */
const MORE_MEMORY_BYTES = 120_000_000;

/** Sockets that a server may open by itself, for its threads and turns. */
const SPARE_SOCKETS = 8;

const MAX_CONNECTIONS = 12;

const linux = Deno.build.os === "linux";

/**
 * A server that is sent frames with mistakes in them. It has to live, to answer a client that does
 * nothing wrong, to answer each valid stream in full, to let go of connections and to keep its
 * memory.
 */
export class Victim {
  readonly #target: Target;
  #rounds = 0;
  #connections = 0;
  #frames = 0;
  #bytes = 0;
  #sockets = Infinity;
  #lastBytes = Infinity;
  #mostBytes = 0;
  /** Connections that took so long to send that the server need not have answered. */
  #late = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  /** How many frames were sent, with mistakes or not. */
  get frames(): number {
    return this.#frames;
  }

  get summary(): string {
    const memory = this.#mostBytes === 0 ? "" : `, ${Math.round(this.#mostBytes / 1e6)} MB at most`;
    return `${this.#rounds} rounds, ${this.#connections} connections, ` +
      `${this.#frames} frames, ${Math.round(this.#bytes / 1e6)} MB sent${memory}` +
      (this.#late > 0 ? `, ${this.#late} too late to be judged` : "");
  }

  async round(random: Random): Promise<void> {
    const { name, ingredients } = this.#target;
    if (this.#rounds === 0) {
      await this.#target.askNeighbour();
      this.#sockets = this.#openSockets();
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
    const { server, tls } = this.#target;
    const conn = await dial(server.address, { tls });
    const close = () => {
      try {
        conn.close();
      } catch {
        // It is closed.
      }
    };
    // The others may have ended meanwhile.
    if (conns.disposed) return close();
    conns.defer(close);
    this.#connections++;
    this.#frames += attack.frames;
    const judge = this.#target.judge(attack);
    const reading = attack.ending === "half-close" ? this.#read(conn, judge) : undefined;
    reading?.catch(() => {});
    const begin = performance.now();
    // A server that has had enough closes; it is the reading that is judged.
    await this.#send(conn, attack).catch(ignoreClosed);
    // Where the machine lets nobody work for seconds, the server may have waited for a frame for too long.
    const isLate = performance.now() - begin > FRAME_TIMEOUT_MS / 2;
    if (attack.ending === "stay") await over;
    if (reading === undefined) return close();
    await conn.closeWrite().catch(ignoreClosed);
    await reading;
    close();
    if (isLate) this.#late++;
    else judge.end();
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

  /** Reads until the server closes. */
  async #read(conn: Deno.Conn, judge: Judge): Promise<void> {
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await conn.read(buffer).catch(ignoreClosed) ?? undefined;
      if (count === undefined) return;
      judge.take(buffer.slice(0, count));
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
      () => this.#openSockets() <= this.#sockets + SPARE_SOCKETS,
      `${name} lets go of all connections`,
    );
    const bytes = residentBytes(server.pid);
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    const isPowerOfTwo = (this.#rounds & (this.#rounds - 1)) === 0;
    if (this.#rounds <= WARM_ROUNDS || isPowerOfTwo) this.#lastBytes = bytes;
    const grown = bytes - this.#lastBytes;
    assert(grown < MORE_MEMORY_BYTES, `${name} has grown by ${Math.round(grown / 1e6)} MB`);
  }

  #openSockets(): number {
    return linux ? openSockets(this.#target.server.pid) : 0;
  }
}

/** How many sockets a process has; other descriptors come and go with its threads. */
function openSockets(pid: number): number {
  const sockets = new Set<string>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      const path = Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
      if (path.startsWith("socket:")) sockets.add(path);
    } catch {
      // It was closed meanwhile.
    }
  }
  return sockets.size;
}

/** What reading and writing throw on a connection that somebody has closed. */
const CLOSED = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  // Over TLS: the server closed the socket, as it does with peers that have gone too far.
  Deno.errors.UnexpectedEof,
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
