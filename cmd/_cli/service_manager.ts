import { before } from "../../lib/base/before.ts";
import { describeError } from "./describe_error.ts";
import type { Log } from "./log.ts";

/** A start that takes long gets this much more time whenever it says how far it is. */
const MORE_TIME_MS = 60_000;

/** It says so at most this often. */
const PROGRESS_MS = 1_000;

/** How long the last messages may take at the end. */
const FLUSH_MS = 500;

/** What a service manager sets in the environment of a program that is to tell it how it is. */
export interface ManagerVariables {
  /** The path of its socket; `@` stands for the zero byte before an abstract name. */
  readonly NOTIFY_SOCKET: string;
  /** Within how many microseconds it expects each sign of life. */
  readonly WATCHDOG_USEC?: string | undefined;
  /** Whose; that of the program itself if it is not set. */
  readonly WATCHDOG_PID?: string | undefined;
}

/**
 * Tells the service manager that started the program how it is, as sd_notify(3) describes for
 * systemd: ready, reading its files again, stopping, alive. If that fails, it is told once, and the
 * program goes on.
 */
export class ServiceManager implements AsyncDisposable {
  readonly #socket: Deno.DatagramConn;
  readonly #path: string;
  readonly #log: Log;
  readonly #aliveMs: number | undefined;
  #last = Promise.resolve();
  #waiting = 0;
  #toldAt = -Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** What it said last of how it serves; `undefined` as long as it does not. */
  #status: string | undefined;
  #hasFailed = false;

  private constructor(socket: Deno.DatagramConn, variables: ManagerVariables, log: Log) {
    this.#socket = socket;
    this.#path = variables.NOTIFY_SOCKET.replace(/^@/, "\0");
    this.#log = log;
    const { WATCHDOG_USEC: limit, WATCHDOG_PID: pid } = variables;
    const isOurs = limit !== undefined && (pid === undefined || Number(pid) === Deno.pid);
    if (isOurs && Number(limit) > 0) this.#aliveMs = Math.max(1, Number(limit) / 2_000);
  }

  /** Finds it; `undefined`, and a warning, where it listens on no socket that can be written to. */
  static open(variables: ManagerVariables, log: Log): ServiceManager | undefined {
    const { NOTIFY_SOCKET: path } = variables;
    try {
      if (!/^[/@]./.test(path)) throw new Error("only Unix sockets can be written to");
      if (Deno.listenDatagram === undefined) throw new Error("this takes deno run --unstable-net");
      // An abstract name: nothing of it is left on the disk, and it needs no folder.
      const own = `\0socktool-${crypto.randomUUID()}`;
      const socket = Deno.listenDatagram({ transport: "unixpacket", path: own });
      return new ServiceManager(socket, variables, log);
    } catch (error) {
      log.warn(cannotTell(path, error));
      return undefined;
    }
  }

  /** The program is not ready yet, but works on it. */
  starting(status: string): void {
    const now = performance.now();
    if (this.#waiting > 0 || now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    this.#tell(`EXTEND_TIMEOUT_USEC=${MORE_TIME_MS * 1_000}`, `STATUS=${status}`);
  }

  /** The program serves. */
  ready(status: string): void {
    this.#status = status;
    this.#tell("READY=1", `STATUS=${status}`);
    if (this.#aliveMs === undefined || this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      if (this.#waiting === 0) this.#tell("WATCHDOG=1");
    }, this.#aliveMs);
    Deno.unrefTimer(this.#timer);
  }

  /** The program reads its files again. Call {@linkcode ServiceManager.reloaded} at the end. */
  reloading(): void {
    if (this.#status !== undefined) this.#tell("RELOADING=1", "STATUS=reading its files again");
  }

  /** It has read them. */
  reloaded(): void {
    if (this.#status !== undefined) this.#tell("READY=1", `STATUS=${this.#status}`);
  }

  /** The program ends: what is begun may finish. */
  stopping(): void {
    this.#tell("STOPPING=1", "STATUS=draining");
  }

  /** Sends what waits, unless that takes long. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await before(this.#last, FLUSH_MS);
    this.#socket.close();
  }

  #tell(...lines: readonly string[]): void {
    const message = new TextEncoder().encode(lines.join("\n"));
    this.#waiting++;
    this.#last = this.#last.then(() => this.#send(message)).finally(() => this.#waiting--);
  }

  async #send(message: Uint8Array): Promise<void> {
    try {
      await this.#socket.send(message, { transport: "unixpacket", path: this.#path });
    } catch (error) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#log.warn(cannotTell(this.#path.replace(/^\0/, "@"), error));
    }
  }
}

function cannotTell(path: string, error: unknown): string {
  return `cannot tell the service manager at ${path}: ${describeError(error)}`;
}
