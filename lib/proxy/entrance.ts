import { Acceptor, type AcceptSource } from "../net/acceptor.ts";
import { networkOf } from "../net/address.ts";
import { Admission } from "../net/admission.ts";
import { before } from "../base/before.ts";
import { Condition } from "../base/condition.ts";
import type { ConnectionError } from "../net/connection_error.ts";
import { areDescriptorsScarce, descriptorsToCome, giveWay } from "../net/giving_way.ts";
import type { Address } from "../net/mod.ts";
import type { Turns } from "../net/turns.ts";

/** What an {@linkcode Entrance} has to know of what it accepts. */
export interface EntranceEvents<T extends NonNullable<unknown>> {
  /** Where a client comes from. */
  remoteOf(item: T): Address;
  /**
   * A client has its turn.
   *
   * @param number Which one it is, in the order in which they came, from 1 on.
   * @returns What resolves when it takes no more descriptors. It must not reject.
   */
  admitted(item: T, number: number): Promise<void> | undefined;
  /** A client has to wait: `hasSent` is to be called once it has sent something, while it waits. */
  waits?(item: T, hasSent: () => void): void;
  /** A client that waits is let go. */
  letGo(item: T): void;
  /** One could not be accepted. */
  failed(error: ConnectionError): void;
}

/** For this long more are not accepted, at most, until those that were let in have reached the upstream. */
const DIALLED_MS = 100;

/** The time between two clients that have sent nothing, where these are let in slowly. */
const SILENT_PAUSE_MS = 5;

/** So many that wait are let in before more are accepted, where no descriptor was left. */
const LET_IN_FIRST = 256;

/** A client that waits, and which one it is. */
interface Arrival<T> {
  readonly item: T;
  readonly number: number;
  hasSent: boolean;
}

/**
 * Accepts the clients of a proxy, and lets them in by networks in turn: first those that have sent
 * something. While more come than are accepted, or descriptors are scarce, the others are let in slowly:
 * to dial for each takes ten times as long as to accept it.
 *
 * Where the process has no descriptor left, some of those go that wait, and those that have sent something
 * are let in before more are accepted: else these would take the descriptors by which those are to reach
 * the upstream. To let in thousands would take seconds: if more than 256 wait, two of them are closed for
 * each new one, until half of them are left.
 *
 * @typeParam T A client that was accepted.
 */
export class Entrance<T extends NonNullable<unknown>> {
  readonly #events: EntranceEvents<T>;
  readonly #acceptor: Acceptor<T>;
  readonly #admission: Admission<Arrival<T>>;
  readonly #settled = new Condition();
  /** How many were let in that have sent something, and have not reached the upstream. */
  #dialling = 0;
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
    const takeIfBusy = () => descriptorsToCome() ?? turns.takeIfBusy();
    const takeForSilent = () =>
      source.hasMore || areDescriptorsScarce()
        ? pause(SILENT_PAUSE_MS).then(takeIfBusy)
        : takeIfBusy();
    const inTurn = { takeIfBusy, takeForSilent };
    this.#admission = new Admission(inTurn, ({ item, number, hasSent }) => {
      if (hasSent) this.#dialling++;
      const dialled = events.admitted(item, number);
      const over = () => {
        if (hasSent) this.#dialling--;
        this.#noteSettled();
      };
      if (dialled) void dialled.then(over);
      else over();
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
      const network = networkOf(this.#events.remoteOf(item));
      const arrival = { item, number: ++number, hasSent: false };
      const place = this.#admission.addSilent(network, arrival);
      if (place.isTaken) {
        this.#events.waits?.(item, () => {
          arrival.hasSent = true;
          this.#admission.hasSent(place);
        });
      }
      if (this.#admission.size > this.#most) this.#giveUp(2);
    }
  }

  async #untilLetIn(): Promise<void> {
    const { size } = this.#admission;
    if (size > LET_IN_FIRST) {
      this.#most = Math.max(LET_IN_FIRST, size / 2);
      return;
    }
    if (!this.#isSettled) await before(this.#settled.wait(), DIALLED_MS);
  }

  #giveUp(count: number): void {
    for (let i = 0; i < count && this.#admission.size > 0; i++) {
      this.#events.letGo(this.#admission.takeOldest()!.item);
    }
    this.#noteSettled();
  }

  /** Whether nobody takes descriptors who was accepted. */
  get #isSettled(): boolean {
    return this.#admission.sentSize === 0 && this.#dialling === 0;
  }

  #noteSettled(): void {
    if (this.#admission.size === 0) this.#most = Infinity;
    if (this.#isSettled) this.#settled.notify();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
