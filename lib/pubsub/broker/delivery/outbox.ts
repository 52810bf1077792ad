import { Condition } from "../../../base/condition.ts";
import type { HeaderInit } from "../../../frame/mod.ts";
import { ByteBuffer } from "../../../base/byte_buffer.ts";
import type { WriteQueue } from "../../../net/mod.ts";
import { type StoredPlace, writeConfirmation, writeControl } from "../../protocol/control_frame.ts";
import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import { Run } from "../routing/run.ts";
import type { Group, Receiver, Subscription } from "../routing/subscription.ts";
import { Backlog } from "./backlog.ts";
import type { BacklogBudget } from "./backlog_budget.ts";
import { writeExtended } from "./extended_frame.ts";
import { DeliveryTimer } from "./delivery_timer.ts";
import { LentMemory } from "./lent_memory.ts";
import { writeMissed } from "./missed.ts";
import type { OutboxOwner } from "./outbox_owner.ts";
import { waitsLonger } from "./pace.ts";
import type { FrameList } from "./piece.ts";
import { publicationsIn } from "./publications_in.ts";

/** Up to this many bytes go straight to the connection; what exceeds it waits in a backlog. */
const DIRECT_BYTES = 262_144;

/** The most bytes of shared copies that are gathered for one write; the others stay shared. */
const GATHERED_BYTES = 65_536;

/** The most bytes of shared copies that are gathered for the next write while one is pending. */
const SHARED_DIRECT_BYTES = 16_384;

/** A congested connection has caught up when no more than this many bytes are pending. */
const RELIEVED_BYTES = 131_072;

/** A part of a run that a client takes; used over and over. */
const fitting = new Run();

/**
 * Is told of what happens to outboxes. It is called during iteration over subscriptions: it must
 * only record what it is told, and not change anything.
 */
export interface OutboxObserver {
  /** What the backlogs of all outboxes may take. */
  readonly backlogs: BacklogBudget;
  /**
   * The socket has taken all, and more waits in the backlog.
   *
   * @param tellsMuch Whether it takes long to write what was left out of it.
   * @returns Whether it may be moved at once; else the outbox is flushed when it has its turn.
   */
  mayCatchUp(outbox: Outbox, tellsMuch: boolean): boolean;
  /** The outbox has something to send, for the first time since its last flush. */
  filled(outbox: Outbox): void;
  /** The outbox has caught up with what was waiting, or is closed. */
  relieved(outbox: Outbox): void;
  /** More came than may wait, and the subscription's policy is `disconnect`. */
  overflowed(outbox: Outbox): void;
}

/**
 * All that goes out to one connection. While the peer keeps up, a run of frames is sent from the
 * publisher's read buffer, or copied once into the buffer of the next write. When the peer does not
 * keep up, further frames wait in a backlog of bounded size, and the subscriptions' policies decide
 * what is left out of it.
 */
export class Outbox implements Receiver {
  /** The session that it belongs to. */
  readonly owner: OutboxOwner;
  /** Publications handed to the connection. */
  delivered = 0;
  /** Bytes of these. */
  deliveredBytes = 0;
  /** The client takes no publication with more content: it is told of it instead. */
  maxContentBytes = Infinity;
  /** How many bytes of this connection the client has taken, as far as it has said. */
  toldBytes = 0;
  /** Whether many messages of a stream may go as one frame: the client takes frames of that size. */
  takesRuns = true;
  readonly #output: WriteQueue;
  readonly #observer: OutboxObserver;
  readonly #maxPendingBytes: number;
  #backlog: Backlog | undefined;
  /** Whether there is a backlog only because what many share waits there, and little waits. */
  #isEarly = false;
  /** Whether what waits is in memory that others share: then it is copied as late as possible. */
  #isShared = false;
  #missed = 0;
  readonly #room = new Condition();
  readonly #empty = new Condition();
  readonly #relief = new Condition();
  #filled = false;
  #fed: SlowPolicy | undefined;
  readonly #timer = new DeliveryTimer();
  #deliveriesEnded = false;
  #closed = false;

  /**
   * Takes over an output: nobody else may write to it.
   *
   * @param maxPendingBytes How much may wait in the backlog.
   */
  constructor(
    output: WriteQueue,
    owner: OutboxOwner,
    observer: OutboxObserver,
    maxPendingBytes: number,
  ) {
    this.owner = owner;
    this.#output = output;
    this.#observer = observer;
    this.#maxPendingBytes = maxPendingBytes;
    output.onWritten = () => this.#written();
  }

  /** Bytes that the socket has not taken, those in the backlog included. */
  get pendingBytes(): number {
    return this.#output.pendingBytes + (this.#backlog?.bytes ?? 0);
  }

  /**
   * The policy of the subscriptions for which publications were added since the last flush;
   * `undefined` if none were. Of several it is the one with which publishers wait longest.
   */
  get fed(): SlowPolicy | undefined {
    return this.#fed;
  }

  /** Bytes that the socket took. */
  get writtenBytes(): number {
    return this.#output.writtenBytes;
  }

  /** Publications left out because it did not keep up. */
  get missed(): number {
    return this.#missed + (this.#backlog?.missed ?? 0);
  }

  /** Whether publishers should wait, because too much waits here. */
  get congested(): boolean {
    return this.#queues && !this.#isEarly;
  }

  /** Whether something was added since the last flush. */
  get filled(): boolean {
    return this.#filled;
  }

  /** Whether it takes no publication any more. */
  get ended(): boolean {
    return this.#deliveriesEnded;
  }

  /** Whether it takes nothing more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether what comes has to wait behind what is here. */
  get #queues(): boolean {
    return this.#backlog !== undefined || this.#output.pendingBytes > DIRECT_BYTES;
  }

  /** Whether too many replies wait: no further request should be carried out. */
  get repliesWait(): boolean {
    return !this.#closed && this.#backlog !== undefined && this.#backlog.keptBytes > DIRECT_BYTES;
  }

  /**
   * Waits until there is room for further replies; `undefined` if there is. Replies are never left
   * out, so a client that sends requests and does not read the replies is not read from meanwhile.
   */
  roomForReplies(): Promise<void> | undefined {
    if (!this.repliesWait) return undefined;
    return this.#room.wait();
  }

  add(run: Run, subscription: Subscription): number {
    if (this.#deliveriesEnded) return 0;
    const size = run.end - run.start;
    if (size > this.maxContentBytes) return this.#addFitting(run, subscription);
    return this.#add(run, size, subscription);
  }

  #add(run: Run, size: number, subscription: Subscription): number {
    const output = this.#output;
    const { slow } = subscription;
    // One run after the other goes by the same policy.
    if (this.#fed !== slow || !this.#filled) this.#feed(slow);
    if (this.#takesDirectly(size, slow, run.isShared)) {
      const count = run.last - run.first;
      output.append(run.view, run.memory);
      this.delivered += count;
      this.deliveredBytes += size;
      return count;
    }
    if (this.#backlog === undefined) this.#isEarly = run.isShared;
    this.#isShared = run.isShared;
    const added = this.#waiting().addRun(run, subscription);
    if (this.pendingBytes > Math.min(DIRECT_BYTES, this.#maxPendingBytes / 2)) {
      this.#isEarly = false;
    }
    return this.#accepted(added);
  }

  addGrouped(run: Run, index: number, subscription: Subscription, group: Group): number {
    if (this.#deliveriesEnded) return 0;
    const frame = run.frames[index]!;
    const { start, end, header } = frame;
    if (header["content-length"] > this.maxContentBytes) {
      this.#leaveOutLarge(subscription, end - start);
      return 0;
    }
    this.#feed(subscription.slow);
    if (this.#takesDirectly(end - start, subscription.slow)) {
      writeExtended(this.#output.buffer, frame, group.headerTail);
      this.delivered++;
      this.deliveredBytes += end - start;
      return 1;
    }
    const bytes = new ByteBuffer(end - start + group.headerTail.length);
    writeExtended(bytes, frame, group.headerTail);
    const topic = header["topic"] as string;
    return this.#accepted(this.#waiting().addFrame(bytes.view(), subscription, topic));
  }

  lost(subscription: Subscription, count: number, atLeast: boolean): void {
    if (this.#deliveriesEnded) return;
    this.#fill();
    if (this.#queues) return this.#waiting().leaveOut(subscription, count, 0, "lost", atLeast);
    this.#missed += count;
    writeMissed(this.#output.buffer, subscription, { count, atLeast }, "lost");
  }

  completed(subscription: Subscription): void {
    this.owner.completed(subscription);
  }

  tooSlow(): void {
    this.owner.tooSlow();
  }

  /** Sends a frame that is no publication. It is never left out. */
  control(op: string, fields: HeaderInit = {}): void {
    if (this.#closed) return;
    this.#fill();
    if (!this.#queues) return writeControl(this.#output.buffer, op, fields);
    const bytes = new ByteBuffer(256);
    writeControl(bytes, op, fields);
    this.#waiting().addControl(bytes.view());
  }

  /** Confirms a publication. It is never left out. @param place Where it is kept, if it was stored. */
  confirm(id: number, receivers: number, place?: StoredPlace): void {
    if (this.#closed || this.#queues) return this.control("ok", { id, ...place, receivers });
    this.#fill();
    writeConfirmation(this.#output.buffer, id, receivers, place);
  }

  /** Sends frames that stay where they are until there is room for them. They are never left out. */
  list(list: FrameList): void {
    if (this.#closed) return list.release();
    this.#fill();
    const { frames } = list;
    let next = 0;
    while (next < frames.length && !this.#queues && this.#output.gatheredBytes < GATHERED_BYTES) {
      const bytes = frames[next++]!;
      this.#output.buffer.append(bytes);
      this.delivered++;
      this.deliveredBytes += bytes.length;
    }
    if (next === frames.length) return list.release();
    list.onOutdated = () => this.#observer.overflowed(this);
    this.#isShared = true;
    this.#waiting().addList(list, next);
  }

  /** Sends publications in memory that is copied. They are never left out. */
  batch(bytes: Uint8Array, count: number): void {
    if (this.#closed || bytes.length === 0) return;
    this.#count(bytes, count);
    this.#output.buffer.append(bytes);
  }

  /**
   * As `batch`, from where they are.
   *
   * @param giveBack Is called once, when their memory is not needed any more. It must not throw.
   */
  lend(bytes: Uint8Array, count: number, giveBack: () => void): void {
    if (this.#closed || bytes.length === 0) return giveBack();
    this.#count(bytes, count);
    const memory = new LentMemory(bytes, giveBack);
    this.#output.append(bytes, memory);
    if (!memory.borrowed) giveBack();
  }

  #count(bytes: Uint8Array, count: number): void {
    this.#fill();
    this.delivered += count;
    this.deliveredBytes += bytes.length;
  }

  /** Waits until little waits for the peer; `undefined` if that is so. */
  relief(): Promise<void> | undefined {
    if (this.#closed || !this.#queues) return undefined;
    return this.#relief.wait();
  }

  /**
   * Takes the time until the socket has all that waits here, unless that of another delivery is being
   * taken.
   *
   * @param since When it began to wait, in milliseconds of `performance.now()`.
   */
  timeDelivery(since: number, tell: (ms: number) => void): void {
    this.#timer.start(since, this.#output.writtenBytes + this.pendingBytes, tell);
  }

  /** Starts to send. */
  flush(): void {
    this.#filled = false;
    this.#fed = undefined;
    if (this.#refillsNow) this.#refill();
    this.#output.flush();
  }

  /**
   * Leaves out all that waits in the backlog.
   *
   * @returns How many publications the peer will not get that it was not told of.
   */
  drop(): number {
    const untold = this.#backlog?.untold ?? 0;
    this.#missed += this.#backlog?.waiting ?? 0;
    this.#closeBacklog();
    this.#settle();
    return untold;
  }

  /** Takes no publication any more; what waits is still sent. */
  endDeliveries(): void {
    this.#deliveriesEnded = true;
  }

  /** Drops what waits, and takes nothing more. What the socket did not take was not delivered. */
  close(): void {
    if (this.#closed) return;
    this.#closed = this.#deliveriesEnded = true;
    this.drop();
    for (const { bytes, takenBytes } of this.#output.unsent()) {
      const { count, size } = publicationsIn(bytes, takenBytes);
      this.delivered -= count;
      this.deliveredBytes -= size;
      this.#missed += count;
    }
  }

  /** Waits until the backlog is empty; `undefined` if it is. */
  emptied(): Promise<void> | undefined {
    if (this.#backlog === undefined) return undefined;
    return this.#empty.wait();
  }

  /** Adds a run without the publications that are larger than the client takes. */
  #addFitting(run: Run, subscription: Subscription): number {
    const { memory, frames, last } = run;
    let added = 0;
    for (let first = run.first; first < last;) {
      const { header, start, end } = frames[first]!;
      if (header["content-length"] > this.maxContentBytes) {
        this.#leaveOutLarge(subscription, end - start);
        first++;
        continue;
      }
      let next = first + 1;
      while (next < last && frames[next]!.header["content-length"] <= this.maxContentBytes) next++;
      fitting.set(memory, frames, first, next);
      added += this.#add(fitting, fitting.end - fitting.start, subscription);
      first = next;
    }
    fitting.clear();
    return added;
  }

  #leaveOutLarge(subscription: Subscription, bytes: number): void {
    this.#fill();
    if (this.#queues) this.#waiting().leaveOut(subscription, 1, bytes, "too-large");
    else {
      this.#missed++;
      writeMissed(this.#output.buffer, subscription, { count: 1, bytes }, "too-large");
    }
  }

  #takesDirectly(size: number, slow: SlowPolicy, isShared = false): boolean {
    if (this.#backlog !== undefined) return false;
    const { pendingBytes, writing } = this.#output;
    // What waits for the socket cannot be replaced by something newer.
    if (slow === "latest") return !writing;
    if (isShared && writing) return this.#output.gatheredBytes + size <= SHARED_DIRECT_BYTES;
    return pendingBytes + size <= DIRECT_BYTES || pendingBytes === 0;
  }

  #waiting(): Backlog {
    return this.#backlog ??= new Backlog(
      this.#maxPendingBytes,
      this.#observer.backlogs,
      () => this.#observer.overflowed(this),
    );
  }

  #accepted(count: number): number {
    if (count >= 0) return count;
    this.#observer.overflowed(this);
    return 0;
  }

  #feed(slow: SlowPolicy): void {
    if (this.#fed !== slow && (this.#fed === undefined || waitsLonger(slow, this.#fed))) {
      this.#fed = slow;
    }
    this.#fill();
  }

  #fill(): void {
    if (this.#filled) return;
    this.#filled = true;
    this.#observer.filled(this);
  }

  get #refillsNow(): boolean {
    return !this.#isShared || !this.#output.writing;
  }

  #refill(): void {
    const backlog = this.#backlog;
    if (backlog === undefined) return;
    const { buffer } = this.#output;
    const before = buffer.length;
    const moved = backlog.moveTo(buffer, this.#isShared ? GATHERED_BYTES : DIRECT_BYTES);
    this.delivered += moved;
    if (moved > 0) this.deliveredBytes += buffer.length - before;
    if (backlog.empty) this.#closeBacklog();
  }

  #closeBacklog(): void {
    this.#missed += this.#backlog?.missed ?? 0;
    this.#backlog?.close();
    this.#backlog = undefined;
    this.#isEarly = false;
  }

  #written(): void {
    if (this.#output.failed) return this.close();
    const backlog = this.#backlog;
    if (backlog && this.#output.gatheredBytes === 0 && this.#refillsNow) {
      if (this.#observer.mayCatchUp(this, backlog.leftOut.isMuch)) this.#refill();
    }
    if (this.#timer.runs) this.#timer.written(this.#output.writtenBytes, this.pendingBytes);
    this.#settle();
  }

  /** Has those go on whose condition holds. */
  #settle(): void {
    if (!this.repliesWait) this.#room.notify();
    if (this.#backlog === undefined) this.#empty.notify();
    if (!this.#closed && (this.congested || this.pendingBytes > RELIEVED_BYTES)) return;
    this.#observer.relieved(this);
    if (this.#backlog === undefined) this.#relief.notify();
  }
}
