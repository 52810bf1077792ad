/**
 * How long those who flood a server are served in a row, in milliseconds: a turn over the loopback
 * takes about 15 µs, one by a timer 1 to 2 ms.
 */
const BUSY_MS = 2;
const BUSY_BESIDE_TIMER_MS = 15;

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
  #busyMs = BUSY_MS;
  #until = 0;
  #turn: Promise<void> | undefined;
  #loopback: Promise<Loopback | undefined> | undefined;
  #closed = false;

  /** Called after a read that brought much: what to wait for; `undefined` if it may go on. */
  take(): Promise<void> | undefined {
    if (this.#turn === undefined && performance.now() >= this.#until) this.#turn = this.#give();
    return this.#turn;
  }

  /** Ends it: there are no turns any more. */
  async close(): Promise<void> {
    this.#closed = true;
    closeLoopback(await this.#loopback);
    await this.#turn;
  }

  async #give(): Promise<void> {
    if (!this.#closed && !await this.#passByte()) {
      this.#busyMs = BUSY_BESIDE_TIMER_MS;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#turn = undefined;
    this.#until = performance.now() + this.#busyMs;
  }

  async #passByte(): Promise<boolean> {
    const loopback = await (this.#loopback ??= openLoopback());
    if (loopback === undefined) return false;
    const byte = new Uint8Array(1);
    try {
      const read = loopback.far.read(byte);
      await loopback.near.write(byte);
      return await read !== null;
    } catch {
      // It was closed, by us or by the system.
      return this.#closed;
    }
  }
}

/** `undefined` where it is not to be had: no permission, no loopback, no file descriptor left. */
async function openLoopback(): Promise<Loopback | undefined> {
  // Asking must not make the runtime ask the user.
  const { state } = Deno.permissions.querySync({ name: "net", host: LOOPBACK });
  if (state !== "granted") return undefined;
  try {
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    const near = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
    const far = await listener.accept();
    near.setNoDelay(true);
    // Somebody else may have connected first.
    if (far.remoteAddr.port === near.localAddr.port) return { near, far };
    closeLoopback({ near, far });
  } catch {
    // Done without.
  }
  return undefined;
}

function closeLoopback(loopback: Loopback | undefined): void {
  loopback?.near.close();
  loopback?.far.close();
}
