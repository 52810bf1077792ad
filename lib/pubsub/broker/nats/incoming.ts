import type { Msg } from "@nats-io/transport-node";
import { ByteBuffer, type EncodedHead } from "../../../frame/mod.ts";
import { isSystem, topicProblem } from "../../protocol/topic.ts";
import type { BackplaneHost } from "../backplane.ts";
import type { Interest, OpenFilter } from "./interest.ts";
import { writeMessageFrame } from "./message_frame.ts";
import { type CarriedFields, NO_FIELDS, readHeaders } from "./message_headers.ts";
import type { Origins } from "./origins.ts";

/** A batch is handed on when it has so many bytes, at the latest. */
const BATCH_BYTES = 131_072;

/** Subjects of which something is remembered. */
const MAX_SUBJECTS = 16_384;

/** What is known of a subject. */
interface Subject {
  /** Whether it can be a topic. */
  readonly isTopic: boolean;
  /** As of a generation of the interest: which subscription's copies count. */
  primary: OpenFilter | undefined;
  generation: number;
  readonly heads: Map<string, EncodedHead>;
}

/** Makes publications of what NATS brings, and hands them to the broker. */
export class Incoming {
  /** Publications that were handed on. */
  received = 0;
  /** Publications that were lost on the way. */
  lost = 0;
  /** Messages whose subject or content cannot be ours. */
  unusable = 0;
  readonly #name: string;
  readonly #host: BackplaneHost;
  readonly #interest: Interest;
  readonly #origins: Origins;
  readonly #noResponders: (replyTo: string) => void;
  readonly #subjects = new Map<string, Subject>();
  #batch = new ByteBuffer(4_096);
  readonly #groupBatches = new Map<string, { filter: string; group: string; bytes: ByteBuffer }>();
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
    this.#interest = interest;
    this.#origins = origins;
    this.#noResponders = noResponders;
  }

  /** A message came by a filter. Of several filters that match it, one counts. */
  take(via: OpenFilter, message: Msg): void {
    const { subject } = message;
    const known = this.#subjectOf(subject);
    const { headers, data } = message;
    if (headers !== undefined && headers.code > 0) {
      if (headers.code === 503 && data.length === 0) this.#noResponders(subject);
      return;
    }
    // Where a filter has just ended, its last messages may be those that another has left to it.
    const isLate = via.closedAt !== Infinity;
    const current = this.#primary(subject, known);
    if (current === undefined || (current !== via && !isLate)) return;
    const fields = headers === undefined ? NO_FIELDS : readHeaders(headers);
    if (!this.#isDue(fields.origin, subject, current, isLate)) return;
    if (!known.isTopic || isForeignSystem(subject, current.filter)) {
      if (!known.isTopic) this.unusable++;
      return;
    }
    if (!this.#write(this.#batch, known, message, fields)) return;
    this.received++;
    if (this.#batch.length >= BATCH_BYTES) this.handOn();
    else this.#schedule();
  }

  /** A message came for a member of a group. */
  takeForGroup(filter: string, group: string, message: Msg): void {
    const { subject, headers } = message;
    const known = this.#subjectOf(subject);
    if (!known.isTopic || isForeignSystem(subject, filter)) {
      if (!known.isTopic) this.unusable++;
      return;
    }
    const key = `${group} ${filter}`;
    let batch = this.#groupBatches.get(key);
    if (batch === undefined) {
      batch = { filter, group, bytes: new ByteBuffer(1_024) };
      this.#groupBatches.set(key, batch);
    }
    const fields = headers === undefined ? NO_FIELDS : readHeaders(headers);
    if (!this.#write(batch.bytes, known, message, fields)) return;
    this.received++;
    if (batch.bytes.length >= BATCH_BYTES) this.handOn();
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
    if (this.#batch.length > 0) {
      const bytes = this.#batch.view();
      this.#batch = new ByteBuffer(Math.min(BATCH_BYTES, Math.max(4_096, bytes.length)));
      this.#host.deliver(bytes);
    }
    if (this.#groupBatches.size === 0) return;
    for (const { filter, group, bytes } of this.#groupBatches.values()) {
      this.#host.deliverToGroup(filter, group, bytes.view());
    }
    this.#groupBatches.clear();
  }

  /** Whether a message is one that has not come yet. Tells of those that are missing before it. */
  #isDue(
    origin: string | undefined,
    topic: string,
    current: OpenFilter,
    isLate: boolean,
  ): boolean {
    const [gateway, number, count] = origin?.split(" ") ?? [];
    if (gateway === undefined || !(Number(number) > 0) || !(Number(count) > 0)) return !isLate;
    // What a lost connection had sent comes back by the next one, late, over other servers.
    if (gateway === this.#name) return false;
    const missing = this.#origins.received(gateway, Number(number), Number(count), topic, current);
    if (missing < 0) return false;
    this.tellLost(topic, missing);
    return true;
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
    if (this.#subjects.size >= MAX_SUBJECTS) this.#subjects.clear();
    const made: Subject = {
      isTopic: topicProblem(subject) === undefined,
      primary: undefined,
      generation: -1,
      heads: new Map(),
    };
    this.#subjects.set(subject, made);
    return made;
  }

  /** Appends the frame of a message; `false` if it cannot be one. */
  #write(
    buffer: ByteBuffer,
    { heads }: Subject,
    { subject, data, reply }: Msg,
    fields: CarriedFields,
  ): boolean {
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
