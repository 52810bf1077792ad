import { formatAddress } from "../../lib/net/address.ts";
import type { Address, DialOptions } from "../../lib/net/mod.ts";
import { dialFrames } from "../../lib/net/dial_frames.ts";
import type { DuplexSource } from "../../lib/pubsub/client/mod.ts";

/** The servers of a client, by which it connects. They tell which of them it tried last, and how far it came. */
export class NamedServers {
  /** What the client connects by, in turn. */
  readonly sources: readonly DuplexSource[];
  /** The address of the one that was tried last. */
  name = "";
  #isOpen = false;
  #isIn = false;

  /** Connects to none by itself. */
  constructor(addresses: readonly Address[], tls: DialOptions["tls"]) {
    this.sources = addresses.map((address) => async (signal: AbortSignal) => {
      this.name = formatAddress(address);
      this.#isOpen = this.#isIn = false;
      const duplex = await dialFrames(address, { tls, signal });
      this.#isOpen = true;
      return duplex;
    });
  }

  /** It has let the client in. */
  letIn(): void {
    this.#isIn = true;
  }

  /** What the one that was tried last did not do so far; `undefined` once it has let the client in. */
  get silence(): string | undefined {
    if (this.#isIn) return undefined;
    return this.#isOpen
      ? `${this.name} accepts connections and does not answer: is it a broker?`
      : `there is no answer from ${this.name}`;
  }
}
