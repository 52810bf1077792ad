import { ByteBuffer, type EncodedHead } from "../../../frame/mod.ts";
import { BATCH_BYTES, FrameBatch } from "./frame_batch.ts";
import { isSystem, topicProblem } from "../../protocol/topic.ts";
import type { BackplaneHost } from "../backplane.ts";
import { type CarriedHeaders, HeaderMemo, NO_HEADERS } from "./header_memo.ts";
import type { GroupInterest, Interest, OpenFilter } from "./interest.ts";
import { writeMessageFrame } from "./message_frame.ts";
import { countFollowing, writeFollowing } from "./message_run.ts";
import type { Origins } from "./origins.ts";
import { type NatsMessage, NO_RESPONDERS } from "./wire/nats_message.ts";

/** About the most that a frame has beside its content. */
const HEAD_BYTES = 512;

/** Subjects of which something is remembered. */
const MAX_SUBJECTS = 16_384;

/** What is known of a subject. */
interface Subject {
  /** Whether it can be a topic. */
  readonly isTopic: boolean;
  /** The subscription whose copies count. It holds for this generation of the interest. */
  primary: OpenFilter | undefined;
  generation: number;
  readonly heads: Map<string, EncodedHead>;
  /** What its messages' headers said. */
  readonly headers: HeaderMemo;
}

/** Makes publications of what NATS brings, and hands them to the broker. */
export class Incoming {
  /** Publications that were handed on. */
  received = 0;
  /** Publications that were lost on the way. */
  lost = 0;
  /** Messages that can be no publications, by their subject or by the size of their content. */
  unusable = 0;
  readonly #name: string;
  readonly #host: BackplaneHost;
  readonly #interest: Interest;
  readonly #origins: Origins;
  readonly #noResponders: (replyTo: string) => void;
  readonly #subjects = new Map<string, Subject>();
  readonly #batch: FrameBatch;
  readonly #groupBatches = new Map<GroupInterest, ByteBuffer>();
  #isScheduled = false;

  /**
   * @param name This start of this gateway.
   * @param noResponders Is told of a request that nobody takes.
   */
  constructor(
    name: string,
    host: BackplaneHost,
    interest: Interest,
    origins: Origins,
    noResponders: (replyTo: string) => void,
  ) {
    this.#name = name;
    this.#host = host;
    this.#batch = new FrameBatch(host);
    this.#interest = interest;
    this.#origins = origins;
    this.#noResponders = noResponders;
  }

  /**
   * A message came by a filter. Of several filters that match it, one counts. Messages behind it that
   * go on with it are dealt with as well, and skipped.
   */
  take(via: OpenFilter, message: NatsMessage): void {
    const { subject } = message;
    const known = this.#subjectOf(subject);
    const carried = message.hasHeaders ? known.headers.read(message) : NO_HEADERS;
    if (carried === undefined) {
      if (message.status === NO_RESPONDERS) this.#noResponders(subject);
      return;
    }
    // A filter that has just ended may bring the last copies that count: the others were left out.
    const isLate = via.closedAt !== Infinity;
    const current = this.#primary(subject, known);
    if (current === undefined || (current !== via && !isLate)) return;
    if (!this.#isDue(carried, subject, current, isLate)) return;
    if (!this.#isUsable(known, subject, current.filter)) return;
    if (!this.#batch.hasRoom(message.end - message.dataStart + HEAD_BYTES)) this.handOn();
    this.#batch.begin();
    const { buffer } = this.#batch;
    const before = buffer.length;
    if (!this.#write(buffer, known, message, carried)) return;
    this.received++;
    if (carried.isCountLast) this.#takeFollowing(message, carried, current, buffer.length - before);
    if (buffer.length >= BATCH_BYTES) this.handOn();
    else this.#schedule();
  }

  /** A message came for a member of a group. */
  takeForGroup(group: GroupInterest, message: NatsMessage): void {
    const { subject } = message;
    const known = this.#subjectOf(subject);
    if (!this.#isUsable(known, subject, group.filter)) return;
    const carried = message.hasHeaders ? known.headers.read(message) : NO_HEADERS;
    if (carried === undefined) return;
    let batch = this.#groupBatches.get(group);
    if (batch === undefined) this.#groupBatches.set(group, batch = new ByteBuffer(1_024));
    if (!this.#write(batch, known, message, carried)) return;
    this.received++;
    if (batch.length >= BATCH_BYTES) this.handOn();
    else this.#schedule();
  }

  /** Another gateway has told how many publications on a topic it has sent. */
  announced(gateway: string, number: number, count: number, topic: string): void {
    const known = this.#subjects.get(topic);
    const current = known ? this.#primary(topic, known) : this.#interest.primary(topic);
    if (current === undefined) return;
    this.tellLost(topic, this.#origins.announced(gateway, number, count, topic, current));
  }

  /** Tells subscribers that publications are missing, behind what came before. */
  tellLost(topic: string, count: number, atLeast = false): void {
    if (count === 0 && !atLeast) return;
    this.handOn();
    this.lost += count;
    this.#host.lost(topic, count, atLeast);
  }

  /** Hands on what has been taken. */
  handOn(): void {
    this.#batch.handOver();
    if (this.#groupBatches.size === 0) return;
    for (const [{ filter, group }, bytes] of this.#groupBatches) {
      this.#host.deliverToGroup(filter, group, bytes.view());
    }
    this.#groupBatches.clear();
  }

  /**
   * Messages of a gateway, one behind the other, differ in their counts and contents only: then what
   * was found out about the first holds for all of them.
   *
   * @param frameBytes The size of the first one's frame, which was written last.
   */
  #takeFollowing(
    message: NatsMessage,
    { gateway, number, count }: CarriedHeaders,
    current: OpenFilter,
    frameBytes: number,
  ): void {
    const { buffer } = this.#batch;
    const many = countFollowing(
      message,
      count,
      Math.floor((BATCH_BYTES - buffer.length) / frameBytes),
    );
    if (many === 0) return;
    this.#origins.received(gateway, number, count + many, message.subject, current, many);
    writeFollowing(buffer, frameBytes, message, many);
    this.#batch.repeated(many, frameBytes);
    message.skip(many);
    this.received += many;
  }

  /** Whether a message is one that has not come yet. Tells of those that are missing before it. */
  #isDue(
    { gateway, number, count }: CarriedHeaders,
    topic: string,
    current: OpenFilter,
    isLate: boolean,
  ): boolean {
    if (count === 0) return !isLate;
    // What a lost connection had sent comes back by the next one, late, over other servers.
    if (gateway === this.#name) return false;
    const missing = this.#origins.received(gateway, number, count, topic, current);
    if (missing < 0) return false;
    this.tellLost(topic, missing);
    return true;
  }

  #isUsable({ isTopic }: Subject, subject: string, filter: string): boolean {
    if (!isTopic) this.unusable++;
    return isTopic && !isForeignSystem(subject, filter);
  }

  #primary(subject: string, known: Subject): OpenFilter | undefined {
    const { generation } = this.#interest;
    if (known.generation !== generation) {
      known.primary = this.#interest.primary(subject);
      known.generation = generation;
    }
    return known.primary;
  }

  #subjectOf(subject: string): Subject {
    const known = this.#subjects.get(subject);
    if (known !== undefined) return known;
    const isTopic = topicProblem(subject) === undefined;
    const made: Subject = {
      isTopic,
      primary: undefined,
      generation: -1,
      heads: new Map(),
      headers: new HeaderMemo(),
    };
    // Others may be of any length.
    if (isTopic) {
      if (this.#subjects.size >= MAX_SUBJECTS) this.#subjects.clear();
      this.#subjects.set(subject, made);
    }
    return made;
  }

  /** Appends the frame of a message; `false` if it cannot be one. */
  #write(
    buffer: ByteBuffer,
    { heads }: Subject,
    message: NatsMessage,
    { fields }: CarriedHeaders,
  ): boolean {
    const { subject, reply, data } = message;
    if (data.length > this.#host.maxContentBytes) {
      this.unusable++;
      this.tellLost(subject, 1);
      return false;
    }
    writeMessageFrame(buffer, subject, { data, reply, fields }, heads);
    return true;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.handOn();
    });
  }
}

/** Subjects that begin with `_` or `$` come only by filters that say so. */
function isForeignSystem(subject: string, filter: string): boolean {
  return (isSystem(subject) || subject.startsWith("$")) && filter[0] !== subject[0];
}
