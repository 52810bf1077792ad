import { ByteBuffer, type HeaderInit } from "../../../frame/mod.ts";
import type { WriteQueue } from "../../../net/mod.ts";
import { Backlog } from "./backlog.ts";
import { writeControl } from "../../protocol/control_frame.ts";
import type { Held } from "./patience.ts";
import type { Run } from "./run.ts";
import type { Group, Subscription } from "../routing/subscription.ts";

/** Up to here bytes go straight to the connection; above it they wait where a policy rules. */
const DIRECT_BYTES = 262_144;

/** Below it a connection that was congested is not any more. */
const RELIEVED_BYTES = 131_072;

/** What an {@linkcode Outbox} tells its owner. Called in the middle of things: only take note. */
export interface OutboxOwner {
  /** The first bytes since the last flush are there. */
  touched(outbox: Outbox): void;
  /** Nothing waits any more, or no more than publishers need not heed. */
  relieved(outbox: Outbox): void;
  /** The policy `disconnect` ends the connection. */
  overflowed(outbox: Outbox): void;
}

/**
 * All that goes out to one connection. While the peer keeps up, a run of frames leaves from where
 * the publisher's read put it, or is one copy into the buffer that the next write takes. When it
 * does not, further frames wait in a backlog with a bound, where the subscriptions' policies decide
 * what is left out.
 */
export class Outbox {
  /** Publications handed to the connection. */
  delivered = 0;
  /** Bytes of these. */
  deliveredBytes = 0;
  /** Whether publishers wait for it when it is congested. */
  patient = true;
  /** How many of its subscriptions make publishers wait without a bound. */
  blocking = 0;
  /** Publishers that wait for it, and how long they did. */
  readonly held: Held = { holds: [], ms: 0, at: 0, writtenBytes: 0 };
  readonly #output: WriteQueue;
  readonly #owner: OutboxOwner;
  readonly #maxPendingBytes: number;
  #backlog: Backlog | undefined;
  #missed = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #empty: PromiseWithResolvers<void> | undefined;
  #touched = false;
  #closed = false;

  /** Takes over an output: nobody else may write to it. */
  constructor(output: WriteQueue, owner: OutboxOwner, maxPendingBytes: number) {
    this.#output = output;
    this.#owner = owner;
    this.#maxPendingBytes = maxPendingBytes;
    output.onWritten = () => this.#written();
  }

  /** Bytes that wait, here or for the socket. */
  get pendingBytes(): number {
    return this.#output.pendingBytes + (this.#backlog?.bytes ?? 0);
  }

  /** Bytes that the socket took. */
  get writtenBytes(): number {
    return this.#output.writtenBytes;
  }

  /** Publications left out because it did not keep up. */
  get missed(): number {
    return this.#missed + (this.#backlog?.missed ?? 0);
  }

  /** Whether so much waits that publishers should wait too. */
  get congested(): boolean {
    return this.#backlog !== undefined || this.#output.pendingBytes > DIRECT_BYTES;
  }

  /**
   * Waits until there is room for further replies; `undefined` if there is. Whoever asks and does
   * not read the answers must not be read from, for those are never left out.
   */
  roomForReplies(): Promise<void> | undefined {
    if (this.#closed || (this.#backlog?.keptBytes ?? 0) <= DIRECT_BYTES) return undefined;
    return (this.#room ??= Promise.withResolvers()).promise;
  }

  /**
   * Takes a run of publications.
   *
   * @returns How many of them are on their way.
   */
  add(run: Run, subscription: Subscription): number {
    if (this.#closed) return 0;
    const output = this.#output;
    const size = run.end - run.start;
    this.#touch();
    if (this.#takesDirectly(size, subscription)) {
      const count = run.last - run.first;
      output.append(run.view, run.memory);
      this.delivered += count;
      this.deliveredBytes += size;
      return count;
    }
    return this.#accepted(this.#waiting().addRun(run, subscription));
  }

  /** Takes one publication for a member of a group: its header says so. Result as for `add`. */
  addGrouped(run: Run, index: number, subscription: Subscription, group: Group): number {
    if (this.#closed) return 0;
    const { start, end, header } = run.frames[index]!;
    this.#touch();
    if (this.#takesDirectly(end - start, subscription)) {
      writeGrouped(this.#output.buffer, run.memory.bytes, start, end, group.headerTail);
      this.delivered++;
      this.deliveredBytes += end - start;
      return 1;
    }
    const bytes = new ByteBuffer(end - start + group.headerTail.length);
    writeGrouped(bytes, run.memory.bytes, start, end, group.headerTail);
    const topic = header["topic"] as string;
    return this.#accepted(this.#waiting().addFrame(bytes.view(), subscription, topic));
  }

  /** Sends what is no publication. It is never left out. */
  control(op: string, fields: HeaderInit = {}): void {
    if (this.#closed) return;
    this.#touch();
    if (this.#sendsDirectly) return writeControl(this.#output.buffer, op, fields);
    const bytes = new ByteBuffer(256);
    writeControl(bytes, op, fields);
    this.#waiting().addControl(bytes.view());
  }

  /** Sends frames of the broker's own memory, such as retained ones. They are never left out. */
  frames(frames: readonly Uint8Array[]): void {
    if (this.#closed) return;
    this.#touch();
    for (const bytes of frames) {
      if (this.#sendsDirectly) this.#output.buffer.append(bytes);
      else this.#waiting().addControl(bytes);
      this.delivered++;
      this.deliveredBytes += bytes.length;
    }
  }

  /** Starts to send. */
  flush(): void {
    this.#touched = false;
    this.#refill();
    this.#output.flush();
  }

  /** Leaves out all that waits behind what is on its way to the socket. */
  drop(): void {
    this.#missed += this.#backlog?.missed ?? 0;
    this.#backlog = undefined;
    this.#settle();
  }

  /** Forgets what waits; takes nothing more. */
  close(): void {
    this.#closed = true;
    this.drop();
  }

  /** Waits until nothing is left but what the socket will be handed next. */
  emptied(): Promise<void> | undefined {
    if (this.#backlog === undefined) return undefined;
    return (this.#empty ??= Promise.withResolvers()).promise;
  }

  get #sendsDirectly(): boolean {
    return this.#backlog === undefined && this.#output.pendingBytes <= DIRECT_BYTES;
  }

  #takesDirectly(size: number, { slow }: Subscription): boolean {
    if (this.#backlog !== undefined) return false;
    const { pendingBytes } = this.#output;
    // Whoever wants only the latest wants nothing stale on its way either.
    if (slow === "latest") return !this.#output.writing;
    return pendingBytes + size <= DIRECT_BYTES || pendingBytes === 0;
  }

  #waiting(): Backlog {
    return this.#backlog ??= new Backlog(this.#maxPendingBytes);
  }

  #accepted(count: number): number {
    if (count >= 0) return count;
    this.#owner.overflowed(this);
    return 0;
  }

  #touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#owner.touched(this);
  }

  #refill(): void {
    const backlog = this.#backlog;
    if (backlog === undefined) return;
    const { buffer } = this.#output;
    const before = buffer.length;
    const moved = backlog.moveTo(buffer, DIRECT_BYTES);
    this.delivered += moved;
    if (moved > 0) this.deliveredBytes += buffer.length - before;
    if (!backlog.empty) return;
    this.#missed += backlog.missed;
    this.#backlog = undefined;
  }

  #written(): void {
    if (this.#output.failed) return this.close();
    if (this.#backlog !== undefined && this.#output.gatheredBytes === 0) this.#refill();
    this.#settle();
  }

  /** Lets those go on who wait for what has come about. */
  #settle(): void {
    if (this.#room && this.roomForReplies() === undefined) {
      this.#room.resolve();
      this.#room = undefined;
    }
    if (this.#backlog !== undefined) return;
    this.#empty?.resolve();
    this.#empty = undefined;
    if (this.#closed || this.#output.pendingBytes <= RELIEVED_BYTES) {
      this.patient = true;
      if (this.held.holds.length > 0) this.#owner.relieved(this);
    }
  }
}

const CLOSING_BRACE = 0x7d;

/** Copies the frame `source[start, end)`, its header's end replaced by `tail`. */
function writeGrouped(
  buffer: ByteBuffer,
  source: Uint8Array,
  start: number,
  end: number,
  tail: Uint8Array,
): void {
  const headerStart = start + 2;
  const headerEnd = headerStart + ((source[start]! << 8) | source[start + 1]!);
  let brace = headerEnd - 1;
  while (source[brace] !== CLOSING_BRACE) brace--;
  const headerBytes = brace - headerStart + tail.length;
  buffer.reserve(2 + headerBytes + end - headerEnd);
  buffer.bytes[buffer.length++] = headerBytes >>> 8;
  buffer.bytes[buffer.length++] = headerBytes & 0xff;
  buffer.append(source.subarray(headerStart, brace));
  buffer.append(tail);
  buffer.append(source.subarray(headerEnd, end));
}
