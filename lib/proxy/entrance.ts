import { Acceptor, type AcceptSource } from "../net/acceptor.ts";
import { networkOf } from "../net/address.ts";
import { Admission } from "../net/admission.ts";
import { Condition } from "../base/condition.ts";
import type { ConnectionError } from "../net/connection_error.ts";
import { descriptorsToCome, giveWay } from "../net/giving_way.ts";
import type { Address } from "../net/mod.ts";
import type { Turns } from "../net/turns.ts";

/** What an {@linkcode Entrance} has to know of what it accepts. */
export interface EntranceEvents<T extends NonNullable<unknown>> {
  /** Where a client comes from. */
  remoteOf(item: T): Address;
  /** A client has its turn. @param number Which one it is, in the order in which they came, from 1 on. */
  admitted(item: T, number: number): void;
  /** A client that waits is let go. */
  letGo(item: T): void;
  /** One could not be accepted. */
  failed(error: ConnectionError): void;
}

/** After this time those that were let in have the descriptors by which they reach the upstream. */
const DIALLED_MS = 2;

/** So many that wait are let in before more are accepted, where no descriptor was left. */
const LET_IN_FIRST = 256;

/** A client that waits, and which one it is. */
interface Arrival<T> {
  readonly item: T;
  readonly number: number;
}

/**
 * Accepts the clients of a proxy, and lets them in by networks in turn. Where the process has no
 * descriptor left, some of those go that wait, and the others are let in before more are accepted: else
 * these would take the descriptors by which those are to reach the upstream. To let in thousands would
 * take seconds: if more than 256 wait, two of them are closed for each new one, until half of them are left.
 *
 * @typeParam T A client that was accepted.
 */
export class Entrance<T extends NonNullable<unknown>> {
  readonly #events: EntranceEvents<T>;
  readonly #acceptor: Acceptor<T>;
  readonly #admission: Admission<Arrival<T>>;
  readonly #emptied = new Condition();
  #isShort = false;
  /** How many may wait. */
  #most = Infinity;
  readonly #givingWay = giveWay({
    unproven: () => this.#admission.size,
    giveUp: (count) => this.#giveUp(count),
  });

  /**
   * Takes over a listener, and begins.
   *
   * @param inATurn As for an {@linkcode Acceptor}.
   */
  constructor(
    source: AcceptSource<T>,
    turns: Turns,
    events: EntranceEvents<T>,
    inATurn?: number,
  ) {
    this.#events = events;
    const inTurn = { takeIfBusy: () => descriptorsToCome() ?? turns.takeIfBusy() };
    this.#admission = new Admission(inTurn, ({ item, number }) => {
      events.admitted(item, number);
      if (this.#admission.size === 0) this.#noteEmpty();
    });
    const { address, handshakes } = source;
    const accept = async () => {
      if (this.#isShort) await this.#untilLetIn();
      this.#isShort = false;
      return await source.accept();
    };
    const from = { address, handshakes, accept, close: () => source.close() };
    this.#acceptor = new Acceptor(from, turns, (error) => {
      this.#isShort ||= error.code === "too-many-open-files";
      events.failed(error);
    }, inATurn);
    void this.#acceptAll();
  }

  /** Closes the listener, and lets go who waits. */
  close(): void {
    this.#acceptor.stop();
    this.#givingWay[Symbol.dispose]();
    this.#giveUp(Infinity);
  }

  async #acceptAll(): Promise<void> {
    let number = 0;
    for (let item = await this.#acceptor.next(); item; item = await this.#acceptor.next()) {
      this.#admission.add(networkOf(this.#events.remoteOf(item)), { item, number: ++number });
      if (this.#admission.size > this.#most) this.#giveUp(2);
    }
  }

  async #untilLetIn(): Promise<void> {
    const { size } = this.#admission;
    if (size > LET_IN_FIRST) {
      this.#most = Math.max(LET_IN_FIRST, size / 2);
      return;
    }
    if (size > 0) await this.#emptied.wait();
    await new Promise((resolve) => setTimeout(resolve, DIALLED_MS));
  }

  #giveUp(count: number): void {
    for (let i = 0; i < count && this.#admission.size > 0; i++) {
      this.#events.letGo(this.#admission.takeOldest()!.item);
    }
    if (this.#admission.size === 0) this.#noteEmpty();
  }

  #noteEmpty(): void {
    this.#most = Infinity;
    this.#emptied.notify();
  }
}
