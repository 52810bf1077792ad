import { closeQuietly } from "../base/close_quietly.ts";
import { FairLine } from "../base/fair_line.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { serveLine, TurnLine } from "../base/turn_line.ts";
import { NetworkLine } from "./network_line.ts";

/**
 * The time between two turns in milliseconds. A turn takes about 15 µs with the loopback
 * connection, and 1 to 2 ms with a timer, which is used where the connection cannot be made.
 */
const BUSY_MS = 2;
const BUSY_BESIDE_TIMER_MS = 15;

/** Where the last turn is over for longer than this, nobody is busy. */
const CALM_MS = 20;

/**
 * The byte is late after this many looks and one more, for each of which a timer is set when the one
 * before has fired. A single long timer would not do: it fires late where the process is busy, before
 * the sockets are polled. Between two timers they are. The looks go on from turn to turn, because
 * setting and clearing a timer takes about as long as passing the byte.
 */
const BYTE_LOOKS = 5;
const BYTE_LOOK_MS = 10;

/** The number of turns in a row without the byte after which the loopback connection counts as broken. */
const MAX_LATE_TURNS = 4;

/** For how long a timer is used after the loopback connection has failed. */
const RETRY_MS = 5_000;

const LOOPBACK = "127.0.0.1";

/** Those who wait for a turn. */
interface WaitingLine {
  readonly length: number;
  wait(network: string): Promise<void>;
  serve(ms: number): Promise<void>;
}

/** A line whose networks take turns. */
interface LineOfNetworks {
  readonly size: number;
  push(network: string, goOn: () => void): unknown;
  shift(): (() => void) | undefined;
}

/** Those who wait for a turn, and whose networks take turns. */
class NetworkTurns implements WaitingLine {
  readonly #line: LineOfNetworks;

  constructor(line: LineOfNetworks) {
    this.#line = line;
  }

  get length(): number {
    return this.#line.size;
  }

  wait(network: string): Promise<void> {
    return new Promise((resolve) => this.#line.push(network, resolve));
  }

  shift(): (() => void) | undefined {
    return this.#line.shift();
  }

  serve(ms: number): Promise<void> {
    return serveLine(this, ms);
  }
}

/** How a wait for the byte ends: it has come, is late, or cannot come. */
type Passing = "passed" | "late" | "failed";

/** A connection of this process to itself, with one byte at a time on its way. */
class Loopback {
  readonly #near: Deno.Conn;
  readonly #far: Deno.Conn;
  readonly #sent = new Uint8Array(1);
  readonly #received = new Uint8Array(1);
  #isUnderWay = false;
  #tell: ((how: Passing) => void) | undefined;
  // Made once: a turn is given every 2 ms.
  readonly #onRead = (count: number | null): void => {
    this.#isUnderWay = false;
    this.#tell?.(count === null ? "failed" : "passed");
  };
  readonly #onFailed = (): void => {
    this.#isUnderWay = false;
    this.#tell?.("failed");
  };

  /** Takes over both ends. @param tell Is told what becomes of each byte, until it is closed. */
  constructor(near: Deno.Conn, far: Deno.Conn, tell: (how: Passing) => void) {
    this.#near = near;
    this.#far = far;
    this.#tell = tell;
  }

  /** Sends a byte, unless one is under way. */
  send(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#far.read(this.#received).then(this.#onRead, this.#onFailed);
    this.#near.write(this.#sent).catch(this.#onFailed);
  }

  close(): void {
    this.#tell = undefined;
    closeQuietly(this.#near);
    closeQuietly(this.#far);
  }
}

/**
 * Lets idle connections be served beside busy ones. Deno polls its sockets when it has nothing else
 * to do. While the reads of one client always find more bytes, it hardly polls, and the answers to
 * other clients took 50 to 500 ms. So every 2 ms busy connections await one byte that the process
 * sends to itself over a loopback connection. It arrives only after Deno has polled all sockets.
 * Those that wait go on one after the other, for 2 ms; then there is another byte. So a thousand
 * busy connections keep the others waiting no longer than one does.
 *
 * A poll also finds everything at once that has happened since the one before: of a client that is
 * lost with a thousand connections, all their ends. These have a line of their own, so that no work
 * waits for them.
 */
export class Turns {
  #until = 0;
  readonly #line = new TurnLine();
  readonly #urgent = new TurnLine();
  readonly #last = new TurnLine();
  readonly #ends = new TurnLine();
  readonly #little = new NetworkTurns(new FairLine<() => void>());
  readonly #begins = new NetworkTurns(new NetworkLine<() => void>());
  /** All lines, in the order in which they go on in a turn. */
  readonly #lines: readonly WaitingLine[] = [
    this.#urgent,
    this.#little,
    this.#begins,
    this.#line,
    this.#last,
    this.#ends,
  ];
  /** While somebody waits. */
  #giving: Promise<void> | undefined;
  /** Never rejects; resolves to `undefined` if the connection cannot be made. */
  #opening: Promise<Loopback | undefined> | undefined;
  #loopback: Loopback | undefined;
  /** Resolves when the connections that were dropped are closed. */
  #dropped: Promise<unknown> = Promise.resolve();
  #retryAt = 0;
  /** Ends the wait for the byte, while a turn waits. */
  #onPassing: ((how: Passing) => void) | undefined;
  /** How many looks this wait has taken. */
  #looks = 0;
  readonly #looking = new PeriodicLook(BYTE_LOOK_MS, () => this.#look());
  /** How many turns have gone on without it. */
  #lateTurns = 0;
  #closed = false;

  /**
   * Asks for a turn. A connection that is busy calls it before it does more work.
   *
   * @returns A promise to wait for; `undefined` if it need not wait.
   * @param isUrgent Whether it goes on before all others, because it does little.
   */
  take(isUrgent = false): Promise<void> | undefined {
    if (this.#closed || performance.now() < this.#until) return undefined;
    return this.#wait(isUrgent ? this.#urgent : this.#line);
  }

  /**
   * Asks for a turn behind all who wait by {@linkcode take}. Each turn lets one go on who asked so, even
   * if those in front still wait.
   */
  takeLast(): Promise<void> {
    return this.#wait(this.#last);
  }

  /** Whether somebody waits for a turn that is not urgent. */
  get isAwaited(): boolean {
    return this.#line.length > 0;
  }

  /**
   * Asks for a turn to begin with a client that has not shown yet what it comes for, behind what is
   * little. They take turns as in a {@linkcode NetworkLine}.
   *
   * @returns A promise to wait for; `undefined` if it need not wait.
   */
  takeToBegin(network: string): Promise<void> | undefined {
    return this.#takeIfBusy(this.#begins, network);
  }

  /**
   * Asks for a turn to deal with the end of a connection. Where nobody is busy, the first ones go on
   * without, for 2 ms; the others go on behind all that waits for a turn, for 2 ms in each.
   *
   * @returns A promise to wait for; `undefined` if it need not wait.
   */
  takeToEnd(): Promise<void> | undefined {
    return this.#takeIfBusy(this.#ends);
  }

  /**
   * Asks for a turn before something that may be asked for on a thousand connections at once. As with
   * an end, the first ones go on without where nobody is busy, for 2 ms.
   *
   * @returns A promise to wait for; `undefined` if it need not wait.
   */
  takeIfBusy(): Promise<void> | undefined {
    return this.#takeIfBusy(this.#line);
  }

  /**
   * Asks for a turn before a little work for a client. Networks take turns, behind what is urgent.
   *
   * @returns A promise to wait for; `undefined` if it need not wait.
   */
  takeForLittle(network: string): Promise<void> | undefined {
    return this.#takeIfBusy(this.#little, network);
  }

  /** Closes the loopback connection; there are no more turns. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#drop();
    this.#onPassing?.("failed");
    await this.#giving;
    this.#looking.stop();
    await this.#dropped;
  }

  #takeIfBusy(line: WaitingLine, network?: string): Promise<void> | undefined {
    const now = performance.now();
    if (this.#closed || now < this.#until) return undefined;
    if (this.#giving !== undefined || now - this.#until < CALM_MS) return this.#wait(line, network);
    this.#until = now + BUSY_MS;
    return undefined;
  }

  #wait(line: WaitingLine, network = ""): Promise<void> {
    const turn = line.wait(network);
    this.#giving ??= this.#give();
    return turn;
  }

  get #isAnyAwaited(): boolean {
    return this.#lines.some(({ length }) => length > 0);
  }

  /** Gives turns until nobody waits. Never rejects. */
  async #give(): Promise<void> {
    do {
      const passed = this.#closed || await this.#pass();
      const ms = passed ? BUSY_MS : BUSY_BESIDE_TIMER_MS;
      this.#until = performance.now() + ms;
      const limitMs = this.#closed ? Infinity : ms;
      // Who reads on has often more to read by then, and waits here again.
      for (const line of this.#lines) {
        if (line.length > 0) await line.serve(line === this.#last ? 0 : limitMs);
      }
    } while (this.#isAnyAwaited);
    this.#giving = undefined;
  }

  /** Lets all sockets be polled; resolves to whether that was quick. Never rejects. */
  async #pass(): Promise<boolean> {
    if (performance.now() < this.#retryAt) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      return false;
    }
    const how = await new Promise<Passing>((resolve) => {
      this.#onPassing = resolve;
      this.#looks = 0;
      this.#looking.start();
      this.#send();
    });
    this.#onPassing = undefined;
    if (how === "late" && ++this.#lateTurns < MAX_LATE_TURNS) return false;
    this.#lateTurns = 0;
    if (how === "passed") return true;
    this.#drop();
    this.#retryAt = performance.now() + RETRY_MS;
    return false;
  }

  /** Looks whether the byte is late; stops looking if no turn waits for it. */
  #look(): void {
    if (this.#onPassing === undefined) this.#looking.stop();
    else if (++this.#looks > BYTE_LOOKS) this.#onPassing("late");
  }

  /** Sends the byte, unless it is under way; over a connection that is made if there is none. */
  #send(): void {
    if (this.#loopback) return this.#loopback.send();
    if (this.#opening) return;
    const opening = this.#opening = openLoopback((how) => this.#onPassing?.(how));
    void opening.then((loopback) => {
      // It was dropped meanwhile.
      if (this.#opening !== opening) return;
      this.#loopback = loopback;
      if (loopback) return loopback.send();
      this.#opening = undefined;
      this.#onPassing?.("failed");
    });
  }

  /**
   * Closes the loopback connection, also one that is being made, once it is: `Deno.connect` that is
   * aborted may leave a connection open.
   */
  #drop(): void {
    const dropped = this.#opening?.then((loopback) => loopback?.close());
    this.#dropped = Promise.all([this.#dropped, dropped]);
    this.#opening = this.#loopback = undefined;
  }
}

/** Resolves to `undefined` without permission, a loopback interface or a free file descriptor. */
async function openLoopback(tell: (how: Passing) => void): Promise<Loopback | undefined> {
  // Connecting without permission would make Deno ask the user.
  const { state } = Deno.permissions.querySync({ name: "net", host: LOOPBACK });
  if (state !== "granted") return undefined;
  let near: Deno.TcpConn | undefined;
  let far: Deno.TcpConn | undefined;
  try {
    using listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
    near = await Deno.connect({ hostname: LOOPBACK, port: listener.addr.port });
    far = await listener.accept();
    near.setNoDelay(true);
    // Another process may have connected to the listener.
    if (far.remoteAddr.port === near.localAddr.port) return new Loopback(near, far, tell);
  } catch {
    // A timer is used instead.
  }
  if (near) closeQuietly(near);
  if (far) closeQuietly(far);
  return undefined;
}
