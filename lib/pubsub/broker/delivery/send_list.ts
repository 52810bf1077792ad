import { inSteps, visitInParts } from "../../../base/in_steps.ts";
import type { Route } from "../routing/route.ts";
import { nextMember } from "../routing/group.ts";
import type { Receiver, Subscription } from "../routing/subscription.ts";
import type { Outbox, OutboxObserver } from "./outbox.ts";
import { BacklogBudget } from "./backlog_budget.ts";
import type { Pace } from "./pace.ts";
import { Patience } from "./patience.ts";

/** At most this many outboxes are flushed in one go: each takes 5 to 10 µs. */
const MAX_AT_ONCE = 200;

/** The time between two deliveries whose time is taken, in milliseconds. */
const SAMPLE_MS = 1;

/** Fewer backlogs than this are sent within a few milliseconds. */
const MANY = 8;

/** So often outboxes catch up, by up to 64 KiB each, before the clock is looked at. */
const CATCH_UPS = 16;

/** Outboxes to flush before looking at the clock again. */
const PART = 10;

/** Of very many groups only the members of these are waited for: to find each takes up to 5 µs. */
const MAX_GROUPS = 500;

const NO_MEMBERS: readonly (Subscription | undefined)[] = [];

/**
 * The outboxes of a broker that have something to send. They enter themselves while publications
 * are handed out; {@linkcode SendList.flush} sends what they have, with one write for each.
 *
 * Whoever hands out in steps puts off those that have entered in each, and sends them at the end:
 * others, who are served in between, do not send them, and do not wait until that is done.
 */
export class SendList implements OutboxObserver {
  readonly backlogs: BacklogBudget;
  readonly #patience: Patience<Receiver>;
  readonly #pause: () => Promise<void> | undefined;
  readonly #onDelay: ((ms: number) => void) | undefined;
  #sampledAt = 0;
  #filled: Outbox[] = [];
  #putOff: Outbox[] = [];
  #overflowed: Outbox[] = [];
  #catchUps = 0;
  /** Those that wait for their turn to catch up. */
  #behind: Outbox[] = [];

  /**
   * Begins empty.
   *
   * @param patienceMs How long publishers wait for one connection that does not keep up.
   * @param maxBacklogBytes What the backlogs of all connections may take.
   * @param pause Lets others be served while very many outboxes are flushed.
   * @param onDelay Is told how long deliveries take, of some.
   */
  constructor(
    patienceMs: number,
    maxBacklogBytes: number,
    pause: () => Promise<void> | undefined,
    onDelay?: (ms: number) => void,
  ) {
    this.#pause = pause;
    this.#onDelay = onDelay;
    this.backlogs = new BacklogBudget(maxBacklogBytes);
    this.#patience = new Patience(patienceMs, (receiver) => receiver.tooSlow());
  }

  /** Puts off what has entered since the last call: it is sent by {@linkcode SendList.flushAll}. */
  putOff(): void {
    if (this.#filled.length === 0) return;
    for (const outbox of this.#filled) this.#putOff.push(outbox);
    this.#filled.length = 0;
  }

  /** As {@linkcode SendList.flush}, with what was put off. */
  flushAll(pace?: Pace<Receiver>): Promise<void> | undefined {
    if (this.#putOff.length > 0) {
      this.putOff();
      this.#filled = this.#putOff;
      this.#putOff = [];
    }
    return this.flush(pace);
  }

  /**
   * Starts to send what was handed out since the last call, unless it was put off.
   *
   * @param pace That of the publisher whose publications were handed out; without it, nobody waits.
   * @returns What the publisher should wait for; `undefined` if all receivers keep up.
   */
  flush(pace?: Pace<Receiver>): Promise<void> | undefined {
    if (this.#overflowed.length > 0) this.#endOverflowed();
    const filled = this.#filled;
    const receivers = filled.length;
    if (receivers === 0) return undefined;
    if (this.#onDelay !== undefined) this.#sample(filled, this.#onDelay);
    if (receivers > MAX_AT_ONCE) {
      this.#filled = [];
      return this.#flushInSteps(filled, pace);
    }
    const now = performance.now();
    let congested: Outbox[] | undefined;
    for (let i = 0; i < receivers; i++) {
      const outbox = filled[i]!;
      if (flushOne(outbox, pace, now)) (congested ??= []).push(outbox);
    }
    filled.length = 0;
    return congested && pace && this.#patience.wait(congested, pace, now);
  }

  /**
   * What a publisher should wait for before its next publications are handed to their receivers: it
   * waits for those whose outboxes are so full that several publishers together could exceed the
   * limit. `undefined` if all keep up.
   */
  room(route: Route, pace: Pace<Receiver>, publisher: Receiver): Promise<void> | undefined {
    if (this.backlogs.size === 0) return undefined;
    const { subscriptions, groups } = route;
    let congested: Receiver[] | undefined;
    // Asked for each run: no closure, and no list where nobody is behind.
    for (let i = 0; i < subscriptions.length; i++) {
      const { receiver } = subscriptions[i]!;
      if (receiver.congested) (congested ??= []).push(receiver);
    }
    const members = groups.length === 0
      ? NO_MEMBERS
      : groups.slice(0, MAX_GROUPS).map((group) => nextMember(group, publisher));
    for (let i = 0; i < members.length; i++) {
      const receiver = members[i]?.receiver;
      if (receiver?.congested) (congested ??= []).push(receiver);
    }
    if (congested === undefined) return undefined;
    const now = performance.now();
    const note = ({ receiver, slow }: Subscription) => {
      if (!receiver.counts) pace.published(receiver, slow, now);
    };
    subscriptions.forEach(note);
    for (const member of members) if (member) note(member);
    return this.#patience.wait(congested, pace, now);
  }

  /** Has the time of one delivery taken. */
  #sample(filled: readonly Outbox[], onDelay: (ms: number) => void): void {
    const now = performance.now();
    if (now - this.#sampledAt < SAMPLE_MS) return;
    const outbox = filled[Math.floor(Math.random() * filled.length)]!;
    if (outbox.fed === undefined) return;
    this.#sampledAt = now;
    outbox.timeDelivery(now, onDelay);
  }

  /** What is handed out meanwhile has a list of its own, and does not wait for this one. */
  async #flushInSteps(filled: readonly Outbox[], pace?: Pace<Receiver>): Promise<void> {
    const now = performance.now();
    const congested: Outbox[] = [];
    let next = 0;
    await inSteps(() => {
      for (const end = Math.min(next + PART, filled.length); next < end; next++) {
        const outbox = filled[next]!;
        if (flushOne(outbox, pace, now)) congested.push(outbox);
      }
      return next === filled.length;
    }, this.#pause);
    // Some of them may have caught up, or be closed.
    const waiting = congested.filter((outbox) => outbox.congested);
    if (pace && waiting.length > 0) await this.#patience.wait(waiting, pace, performance.now());
  }

  // Sockets with large buffers take a megabyte at once, and with it go on for as long as there is more:
  // beside a thousand of them no other socket is looked at.
  mayCatchUp(outbox: Outbox, tellsMuch: boolean): boolean {
    if (this.#behind.length === 0) {
      if (!tellsMuch) {
        if (this.backlogs.size < MANY) return true;
        if (++this.#catchUps < CATCH_UPS) return true;
      }
      this.#catchUps = 0;
      const turn = this.#pause();
      if (turn === undefined) return true;
      void turn.then(() => this.#catchUp());
    }
    this.#behind.push(outbox);
    return false;
  }

  async #catchUp(): Promise<void> {
    const behind = this.#behind;
    this.#behind = [];
    await inSteps(visitInParts(behind, (outbox) => outbox.flush(), PART), this.#pause);
  }

  filled(outbox: Outbox): void {
    this.#filled.push(outbox);
  }

  relieved(outbox: Outbox): void {
    this.#patience.relieved(outbox);
  }

  overflowed(outbox: Outbox): void {
    this.#overflowed.push(outbox);
  }

  #endOverflowed(): void {
    const overflowed = this.#overflowed;
    this.#overflowed = [];
    for (const outbox of overflowed) outbox.owner.overflowed();
  }
}

/** Flushes one. Returns whether too much waits in it of what its publisher has just sent. */
function flushOne(outbox: Outbox, pace: Pace<Receiver> | undefined, now: number): boolean {
  const { fed } = outbox;
  outbox.flush();
  if (pace === undefined || fed === undefined) return false;
  pace.published(outbox, fed, now);
  return outbox.congested;
}
