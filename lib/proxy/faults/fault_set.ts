import { Budget } from "../../base/budget.ts";
import { inSteps } from "../../base/in_steps.ts";
import type { Address } from "../../net/mod.ts";
import type { Direction } from "../../net/direction.ts";
import { ActiveFault } from "./active_fault.ts";
import type { Fault } from "./fault.ts";
import { keyed } from "./seeded.ts";

/** A fault that did something. */
export interface FiredFault {
  /** The fault, as it is written. */
  readonly fault: string;
  /** The number of the connection. */
  readonly connection: number;
  /** The direction of its bytes. */
  readonly direction: Direction;
  /** The byte of the direction at which it did something: the first one is 0. */
  readonly offset: number;
}

/** How often a fault did something. */
export interface FaultReport {
  /** The fault, as it is written. */
  readonly fault: string;
  /** How often. */
  readonly fired: number;
  /** Whether it is set. */
  readonly isSet: boolean;
}

/** Reports of faults that are not set any more are kept for this many. */
const MAX_REPORTS = 1_000;

/** How many connections are told in one go that other faults are in force; each takes some 10 µs to look. */
const TOLD_IN_A_ROW = 32;

/** A timer waits no longer than this; then it looks again. */
const LONGEST_WAIT_MS = 3_600_000;

/** The faults of a proxy. */
export class FaultSet implements Disposable {
  readonly seed: number;
  /** For what waits because of faults, of all connections together. */
  readonly waiting: Budget;
  readonly #onFired: (fired: FiredFault) => void;
  #active: readonly ActiveFault[] = [];
  /** Those that were set and are not any more. */
  readonly #former: ActiveFault[] = [];
  /** What is told when another fault is in force. */
  readonly #listeners = new Set<() => void>();
  /** Who is told next, and how many are still to be told. They are told in turn, round and round. */
  #next = this.#listeners.values();
  #untold = 0;
  #isTelling = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param maxWaitingBytes See {@linkcode waiting}. */
  constructor(seed: number, onFired: (fired: FiredFault) => void, maxWaitingBytes = Infinity) {
    this.seed = seed;
    this.waiting = new Budget("bytes that wait", maxWaitingBytes);
    this.#onFired = onFired;
  }

  /** What was set. */
  get faults(): readonly Fault[] {
    return this.#active.map(({ fault }) => fault);
  }

  /** Those that are set, and those that were. */
  reports(): FaultReport[] {
    const report = (isSet: boolean) => ({ fault, fired }: ActiveFault) => ({
      fault: fault.text,
      fired,
      isSet,
    });
    return [...this.#former.map(report(false)), ...this.#active.map(report(true))];
  }

  /** Puts faults in the place of those before. One that was there already goes on. */
  set(faults: readonly Fault[]): void {
    const before = [...this.#active];
    const ordinals = new Map<string, number>();
    const now = performance.now();
    this.#active = faults.map((fault) => {
      const ordinal = ordinals.get(fault.action.kind) ?? 0;
      ordinals.set(fault.action.kind, ordinal + 1);
      const at = before.findIndex((active) =>
        active.fault.text === fault.text && active.ordinal === ordinal
      );
      return at < 0 ? new ActiveFault(fault, ordinal, now) : before.splice(at, 1)[0]!;
    });
    this.#former.push(...before);
    this.#former.splice(0, this.#former.length - MAX_REPORTS);
    this.#look();
  }

  /** Those that may concern a direction of a connection. */
  of(connection: number, client: Address, direction: Direction): readonly ActiveFault[] {
    return this.#active.filter((active) =>
      (active.fault.direction === "both" || active.fault.direction === direction) &&
      active.concerns(this.seed, connection, client)
    );
  }

  /** Whether a connection is refused, which is then told. */
  refuses(connection: number, client: Address): boolean {
    const refusing = this.of(connection, client, "up").find(({ isOn, fault }) =>
      isOn && fault.action.kind === "refuse"
    );
    if (refusing) this.fired(refusing, connection, "up", 0);
    return refusing !== undefined;
  }

  /** The draws of a fault on a direction of a connection. */
  drawsOf(active: ActiveFault, draw: number, connection: number, direction: Direction): number {
    return keyed(this.seed, draw, active.ordinal, connection, direction === "up" ? 0 : 1);
  }

  /** Counts that a fault did something, and tells it. */
  fired(active: ActiveFault, connection: number, direction: Direction, offset: number): void {
    active.fired++;
    this.#onFired({ fault: active.fault.text, connection, direction, offset });
  }

  /**
   * Has a function called whenever other faults are in force, until it is removed: a few at once, of
   * thousands the others soon after.
   */
  listen(listener: () => void): void {
    this.#listeners.add(listener);
    // It stands before those who are still to be told in the next round.
    if (this.#untold > 0) this.#untold++;
  }

  /** Calls it no more. */
  unlisten(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Ends the timer, and tells nobody any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  /** Looks which faults are in force, now and whenever that changes by itself. */
  #look(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const next = Math.min(...this.#active.map((active) => active.look(now)));
    if (next < Infinity) {
      this.#timer = setTimeout(() => this.#look(), Math.min(next - now, LONGEST_WAIT_MS));
    }
    this.#untold = this.#listeners.size;
    if (!this.#isTelling) this.#tellAll();
  }

  #tellAll(): void {
    this.#isTelling = true;
    const telling = inSteps(() => this.#tellSome());
    if (telling === undefined) this.#isTelling = false;
    else {void telling.then(() => {
        this.#isTelling = false;
        if (this.#untold > 0) this.#tellAll();
      });}
  }

  /** @returns whether all are told. */
  #tellSome(): boolean {
    for (let i = 0; i < TOLD_IN_A_ROW; i++) {
      if (this.#untold === 0) return true;
      let { value } = this.#next.next();
      if (value === undefined) {
        this.#next = this.#listeners.values();
        ({ value } = this.#next.next());
      }
      this.#untold = value === undefined ? 0 : this.#untold - 1;
      value?.();
    }
    return this.#untold === 0;
  }
}
