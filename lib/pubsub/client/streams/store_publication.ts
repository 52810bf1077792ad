import { countOption, FINITE, numericOption } from "../../../base/numeric_options.ts";
import { Reported } from "../../../base/reported_promise.ts";
import { timerMs } from "../../../base/timer_ms.ts";
import type { FrameHeader } from "../../../frame/header.ts";
import type { ClientStatus } from "../client_status.ts";
import type { AnswerTaker } from "../publishing/pending_answers.ts";
import type { SendOptions } from "../publishing/publish_options.ts";
import type { Publisher } from "../publishing/publisher.ts";
import type { UnsentReports } from "../publishing/unsent_reports.ts";
import { isWholeNumber } from "../../protocol/whole_number.ts";
import { badAnswer, PubSubError } from "../pubsub_error.ts";
import type { StoredPublication, StoreOptions } from "./stream_types.ts";

/** How long is waited where the broker does not say, before a publication is sent again. */
const RETRY_MS = 1_000;

/** The most memory that one kept content keeps from being freed. */
const SHARED_BYTES = 16_384;

const EXPECTED = countOption(undefined, 0, FINITE);

/** What publishing what is to be stored needs of a client. */
interface StoringClient {
  readonly publisher: Publisher;
  readonly status: ClientStatus;
  readonly unsent: UnsentReports;
}

/**
 * Publishes what is to be stored. Where the connection is lost before the answer, it is sent again
 * on the next one, with the same message id: so it is stored once. Throws at once what is wrong with
 * the options.
 */
export function publishStored(
  client: StoringClient,
  topic: string,
  content: Uint8Array | string,
  options: StoreOptions,
): Promise<StoredPublication> {
  const { messageId = ownId() } = options;
  const expectSeq = options.expectSeq === undefined
    ? undefined
    : numericOption("expectSeq", options.expectSeq, EXPECTED);
  const endsAt = options.timeoutMs === undefined
    ? Infinity
    : performance.now() + timerMs("timeoutMs", options.timeoutMs);
  // The caller may write to its bytes again while a retry is due.
  const kept = typeof content === "string" ? content : copyOf(content);
  const asked = { ...options, stored: { messageId, expectSeq } };
  const storing = new Storing(client, topic, kept, asked, endsAt);
  storing.send();
  return storing.promise;
}

/**
 * A publication that is not confirmed as stored. It takes the answer itself: a promise for each of the
 * layers above would cost an eighth of the client's time.
 */
class Storing extends Reported<StoredPublication> implements AnswerTaker {
  readonly #client: StoringClient;
  readonly #topic: string;
  readonly #content: Uint8Array | string;
  readonly #options: StoreOptions & SendOptions;
  readonly #endsAt: number;
  #leftMs = Infinity;

  constructor(
    client: StoringClient,
    topic: string,
    content: Uint8Array | string,
    options: StoreOptions & SendOptions,
    endsAt: number,
  ) {
    super((error) => client.unsent.unconfirmed(error, topic));
    this.#client = client;
    this.#topic = topic;
    this.#content = content;
    this.#options = options;
    this.#endsAt = endsAt;
  }

  send(): void {
    let options = this.#options;
    if (this.#endsAt !== Infinity) {
      this.#leftMs = this.#endsAt - performance.now();
      options = { ...options, timeoutMs: Math.max(0, Math.ceil(this.#leftMs)) };
    }
    try {
      this.#client.publisher.ask(this.#topic, this.#content, options, this);
    } catch (error) {
      this.reject(error);
    }
  }

  resolve({ stream, seq, duplicate }: FrameHeader): void {
    if (typeof stream !== "string" || !isWholeNumber(seq)) {
      return this.fail(badAnswer("the stream and the number", this.#topic));
    }
    this.succeed({ stream, seq, duplicate: duplicate === true });
  }

  reject(error: unknown): void {
    const code = error instanceof PubSubError ? error.code : undefined;
    const isLost = code === "disconnected";
    const { status } = this.#client;
    const isOver = status.state === "closed" || this.#leftMs <= RETRY_MS;
    if (isOver || !isLost && code !== "unavailable") this.fail(error);
    // All that wait for an answer are told of a lost connection, one after the other.
    else void (isLost ? Promise.resolve() : status.pause(RETRY_MS)).then(() => this.send());
  }
}

let shared = new Uint8Array(0);
let used = 0;

/** Copies bytes. Few are put into memory that they share: to make some for each takes longer. */
function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > SHARED_BYTES / 8) return bytes.slice();
  if (used + bytes.length > shared.length) {
    shared = new Uint8Array(SHARED_BYTES);
    used = 0;
  }
  shared.set(bytes, used);
  return shared.subarray(used, used += bytes.length);
}

let origin: string | undefined;
let lastId = 0;

/**
 * A message id that nobody else makes. Those of one program differ only in their ends: brokers parse
 * them in less time than random ones, and short ones in less than long ones.
 */
function ownId(): string {
  // 74 random bits: two of a million programs have the same in less than one of 10^10 cases.
  origin ??= crypto.randomUUID().slice(14);
  return `${origin}.${++lastId}`;
}
