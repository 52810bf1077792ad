import type { StoredMsg } from "@nats-io/jetstream";
import type { Frame } from "../../../../frame/mod.ts";
import {
  DEAD_LETTERS,
  deadLetterOf,
  type DeadMessage,
  deadTopicOf,
} from "../../streams/dead_letter.ts";
import { StreamError } from "../../streams/stream_error.ts";
import { fieldsOfStored } from "../official_headers.ts";
import type { JetStreamAppender } from "./appender.ts";
import type { JetStreamApi } from "./jetstream_api.ts";
import type { StoredMessages } from "./stored_messages.ts";

/** A message that has had its last attempt. */
export interface Buried extends DeadMessage {
  /** Tells the consumer from others that had or will have its name. */
  readonly incarnation: string;
  /** Its number among the dead letters, if it was one that was delivered again. */
  readonly letter: number | undefined;
}

/**
 * Moves messages to the dead letters. The letter is stored first, under an id that every gateway would
 * give it, and the message is acknowledged then: so a gateway that dies in between leaves it to the
 * next one, and the letter is there once.
 */
export class DeadLetters {
  readonly #api: JetStreamApi;
  readonly #appender: JetStreamAppender;
  readonly #messages: StoredMessages;
  readonly #needStream: () => Promise<void>;
  readonly #deliver: (frame: Uint8Array<ArrayBuffer>) => void;

  /**
   * @param needStream Makes the stream of the dead letters.
   * @param deliver Hands a letter to the plain subscribers of this broker.
   */
  constructor(
    api: JetStreamApi,
    appender: JetStreamAppender,
    messages: StoredMessages,
    needStream: () => Promise<void>,
    deliver: (frame: Uint8Array<ArrayBuffer>) => void,
  ) {
    this.#api = api;
    this.#appender = appender;
    this.#messages = messages;
    this.#needStream = needStream;
    this.#deliver = deliver;
  }

  /** Resolves once the letter is stored, or there is nothing to store. @throws {StreamError} */
  async store(buried: Buried): Promise<void> {
    const { stream, consumer, incarnation, seq, letter } = buried;
    const from = letter === undefined ? stream : DEAD_LETTERS;
    const stored = await this.#find(from, letter ?? seq);
    if (stored === undefined) return;
    const { subject, data } = stored;
    const frame = this.#messages.frameOf(subject, data, fieldsOfStored(stored));
    await this.#needStream();
    const id = `${stream}.${consumer}.${incarnation}.${seq}${
      letter === undefined ? "" : `.${letter}`
    }`;
    const whole = deadLetterOf(buried, frame);
    if (await this.#publish(whole, id) === false) {
      // A message of a client of NATS may leave no room for more headers. It is in its stream.
      const reason = `${buried.reason ?? "dead"}; with its content it is larger than the ` +
        "max_payload of the NATS server: read it in its stream";
      const { header, bytes } = deadLetterOf({ ...buried, reason }, frame);
      const empty = { header: { ...header, "content-length": 0 }, content: bytes.subarray(0, 0) };
      await this.#publish(empty as Frame, id);
    }
    if (letter !== undefined) await this.remove(letter);
  }

  /** Removes a letter that was delivered again, and is done. @throws {StreamError} */
  async remove(letter: number): Promise<void> {
    try {
      await this.#api.find(
        "Cannot remove a dead letter",
        (manager) => manager.streams.deleteMessage(DEAD_LETTERS, letter, false),
      );
    } catch (error) {
      // JetStream fails in the same way for one that is gone already.
      if (await this.#find(DEAD_LETTERS, letter)) throw error;
    }
  }

  /**
   * The message; `undefined` if its stream has dropped it. A server that was stopped, or has just become
   * the leader, answers for a moment without having all messages. So a message counts as dropped only if
   * the answer itself shows that the server has got that far.
   *
   * @throws {StreamError}
   */
  async #find(stream: string, seq: number): Promise<StoredMsg | undefined> {
    const tried = "Cannot read a message";
    const query = { seq, next_by_subj: ">" };
    const stored = await this.#api.messageOf(tried, stream, query);
    if (stored) return stored.seq === seq ? stored : undefined;
    const options = { deleted_details: true };
    const { state } = await this.#api.do(tried, (manager) => manager.streams.info(stream, options));
    if (seq < state.first_seq || state.deleted?.includes(seq)) return undefined;
    throw new StreamError("unavailable", `${tried}: its stream's leader does not have it yet`);
  }

  /** @returns `false` if the letter is too large. */
  async #publish(letter: Frame, id: string): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#appender.store(letter, DEAD_LETTERS, (outcome) => {
      if (!(outcome instanceof StreamError)) resolve(outcome.duplicate);
      else reject(outcome);
    }, id);
    try {
      const isDuplicate = await promise;
      if (!isDuplicate && letter.bytes) this.#deliver(letter.bytes.slice());
      return true;
    } catch (error) {
      if ((error as StreamError).code === "frame-too-large") return false;
      throw error;
    }
  }
}

/** How many dead letters the consumers of a stream have, by topic. @throws {StreamError} */
export async function countDeadLetters(
  api: JetStreamApi,
  stream: string,
): Promise<ReadonlyMap<string, number>> {
  const filter = { subjects_filter: deadTopicOf(stream, "*") };
  const info = await api.find(
    "Cannot count dead letters",
    (manager) => manager.streams.info(DEAD_LETTERS, filter),
  );
  return new Map(Object.entries(info?.state.subjects ?? {}));
}
