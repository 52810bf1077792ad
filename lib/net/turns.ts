import { closeConn } from "./close_conn.ts";

/**
 * How long those who flood a server are served in a row, in milliseconds: a turn over the loopback
 * takes about 15 µs, one by a timer 1 to 2 ms.
 */
const BUSY_MS = 2;
const BUSY_BESIDE_TIMER_MS = 15;

/** A byte that takes longer than this is not waited for. */
const BYTE_MS = 50;

/** After a failure turns go by a timer for so long. */
const RETRY_MS = 5_000;

const LOOPBACK = "127.0.0.1";

/** Two ends of one connection to ourselves. */
interface Loopback {
  readonly near: Deno.Conn;
  readonly far: Deno.Conn;
}

/**
 * Turns for those who do not flood a server. The runtime looks for sockets that have become
 * readable when it has nothing else to do, and otherwise only now and then: beside one client whose
 * reads always find more, others waited 50 to 500 ms for their answer. So those who flood wait at
 * one time, now and then, for a byte that comes by a socket of our own: to see it the runtime has
 * to look at all of them.
 */
export class Turns {
  #until = 0;
  #turn: Promise<void> | undefined;
  #opening: AbortController | undefined;
  /** Never rejects; `undefined` where a loopback is not to be had. */
  #loopback: Promise<Loopback | undefined> | undefined;
  #retryAt = 0;
  #closed = false;

  /** Called when much has come: what to wait for; `undefined` if it may go on. */
  take(): Promise<void> | undefined {
    if (this.#turn !== undefined || this.#closed) return this.#turn;
    const now = performance.now();
    if (now >= this.#until) this.#turn = this.#give(now >= this.#retryAt);
    return this.#turn;
  }

  /** Ends it: there are no turns any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#drop();
    await this.#turn;
  }

  /** Never rejects. */
  async #give(overLoopback: boolean): Promise<void> {
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), overLoopback ? BYTE_MS : 0);
    });
    const passed = await (overLoopback ? Promise.race([this.#passByte(), late]) : late);
    clearTimeout(timer!);
    const now = performance.now();
    if (overLoopback && !passed) {
      this.#drop();
      this.#retryAt = now + RETRY_MS;
    }
    this.#until = now + (passed ? BUSY_MS : BUSY_BESIDE_TIMER_MS);
    this.#turn = undefined;
  }

  /** Resolves to whether it could; never rejects. */
  async #passByte(): Promise<boolean> {
    if (this.#loopback === undefined) {
      this.#opening = new AbortController();
      this.#loopback = openLoopback(this.#opening.signal);
    }
    const loopback = await this.#loopback;
    if (loopback === undefined) return false;
    const byte = new Uint8Array(1);
    try {
      const [count] = await Promise.all([loopback.far.read(byte), loopback.near.write(byte)]);
      return count !== null;
    } catch {
      // It was closed, by us or by the system.
      return false;
    }
  }

  /** Ends the loopback, also if it is still to come. */
  #drop(): void {
    this.#opening?.abort();
    void this.#loopback?.then((loopback) => {
      if (loopback) closeBoth(loopback);
    });
    this.#loopback = undefined;
  }
}

/** `undefined` where it is not to be had: no permission, no loopback, no file descriptor left. */
async function openLoopback(signal: AbortSignal): Promise<Loopback | undefined> {
  // Asking must not make the runtime ask the user.
  const { state } = Deno.permissions.querySync({ name: "net", host: LOOPBACK });
  if (state !== "granted") return undefined;
  let near: Deno.TcpConn | undefined;
  try {
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    near = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port, signal });
    const far = await listener.accept();
    near.setNoDelay(true);
    // Somebody else may have connected first.
    if (far.remoteAddr.port === near.localAddr.port) return { near, far };
    closeConn(far);
  } catch {
    // Done without.
  }
  if (near) closeConn(near);
  return undefined;
}

function closeBoth({ near, far }: Loopback): void {
  closeConn(near);
  closeConn(far);
}
