import { checkGiven } from "../../../base/option_kinds.ts";
import { type ByteDuplex, checkDuplex } from "../../../net/bytes/byte_duplex.ts";
import type { DuplexSource, DuplexTarget } from "../client_options.ts";
import { openDuplex } from "./open_duplex.ts";

/** The servers that a client may connect to, in turn. */
export class ServerList {
  readonly #sources: readonly DuplexSource[];
  /** The single connection of the target, until it is used. */
  #unused: ByteDuplex | undefined;
  #next = 0;

  /** @throws {TypeError} if there is none, or one that is neither a connection nor makes one. */
  constructor(target: DuplexTarget) {
    if (isDuplex(target)) {
      checkDuplex(target);
      this.#unused = target;
      this.#sources = [() => Promise.resolve(target)];
    } else this.#sources = Array.isArray(target) ? target.slice() : [target as DuplexSource];
    if (this.#sources.length === 0) {
      throw new TypeError("Cannot connect to a broker: the list of servers is empty");
    }
    for (const source of this.#sources) checkGiven("server", source, "function");
  }

  /** How many there are. */
  get size(): number {
    return this.#sources.length;
  }

  /** Makes a connection to the next server. @throws as {@linkcode openDuplex} does. */
  async open(signal: AbortSignal): Promise<ByteDuplex> {
    const source = this.#sources[this.#next++ % this.#sources.length]!;
    const duplex = await openDuplex(source, signal);
    checkDuplex(duplex);
    this.#unused = undefined;
    return duplex;
  }

  /** Closes a connection that was given and not used. */
  close(): void {
    this.#unused?.close();
    this.#unused = undefined;
  }
}

/** Whether a target is a single connection, which cannot be made again. */
export function isDuplex(target: DuplexTarget): target is ByteDuplex {
  return typeof target === "object" && target !== null && "read" in target;
}
