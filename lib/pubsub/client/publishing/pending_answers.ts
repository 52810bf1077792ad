import type { FrameHeader, HeaderInit, OutgoingFrame } from "../../../frame/mod.ts";
import type { PubSubErrorCode } from "../../protocol/codes.ts";
import { PubSubError, textOf } from "../pubsub_error.ts";

/** Who waits for an answer. */
export interface AnswerTaker {
  resolve(header: FrameHeader): void;
  reject(error: unknown): void;
  /** Whether the program has to take what comes before the answer: nothing is left out for it. */
  readonly isPatient?: boolean | undefined;
}

/** Requests with an `id` that the broker has not answered. */
export class PendingAnswers {
  /** Called when somebody begins to wait. */
  onAwaited: () => void = () => {};
  readonly #byId = new Map<number, AnswerTaker>();
  /** Those among them whose requests wait for a connection. */
  readonly #unsent = new Set<number>();
  #lastId = 0;

  /** Whether somebody waits for an answer who is not patient. */
  get areAwaited(): boolean {
    for (const { isPatient } of this.#byId.values()) if (!isPatient) return true;
    return false;
  }

  /** An id that no other request has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Waits for the answer to a request.
   *
   * @param unsent Whether the request waits for a connection.
   */
  expect(id: number, taker: AnswerTaker, unsent: boolean): void {
    this.#byId.set(id, taker);
    if (unsent) this.#unsent.add(id);
    this.onAwaited();
  }

  /**
   * Sends a request without content on a connection, and waits for the answer.
   *
   * @returns The answer's header.
   * @throws {PubSubError} what the broker refused the request with, or why no answer comes.
   */
  ask(
    link: { send(frame: OutgoingFrame): Promise<void> },
    op: string,
    fields: HeaderInit,
    id: number = this.nextId(),
    content?: Uint8Array | string,
    isPatient?: boolean,
  ): Promise<FrameHeader> {
    return new Promise((resolve, reject) => {
      this.expect(id, { resolve, reject, isPatient }, false);
      try {
        // Of a connection that was closed before, nobody else tells.
        link.send({ header: { op, id, ...fields }, content })
          .then(undefined, (error) => this.giveUp(id, error));
      } catch (error) {
        this.giveUp(id, error);
      }
    });
  }

  /** Takes an `ok`, a `pong` or an `error`; `false` if nobody waits for it. */
  settle(header: FrameHeader): boolean {
    const id = header["id"] as number;
    const pending = this.#byId.get(id);
    if (pending === undefined) return false;
    this.#byId.delete(id);
    if (header["op"] === "error") pending.reject(refusalOf(header));
    else pending.resolve(header);
    return true;
  }

  /** Rejects the promise of one request, if it is not answered yet. */
  giveUp(id: number, error: unknown): void {
    const pending = this.#byId.get(id);
    this.#byId.delete(id);
    this.#unsent.delete(id);
    pending?.reject(error);
  }

  /** Does not wait for an answer any more, which may not come. */
  forget(id: number): void {
    this.#byId.delete(id);
  }

  /** Notes that the requests which waited for a connection are sent. */
  sent(): void {
    this.#unsent.clear();
  }

  /** Rejects the promises of all requests; of those that wait for a connection only if `all`. */
  fail(error: PubSubError, all: boolean): void {
    for (const [id, pending] of this.#byId) {
      if (this.#unsent.has(id) && !all) continue;
      this.#byId.delete(id);
      pending.reject(error);
    }
    if (all) this.#unsent.clear();
  }
}

/** The error that an `error` of the broker stands for. */
export function refusalOf({ code, message, topic, stale }: FrameHeader): PubSubError {
  const why = typeof message === "string"
    ? message
    : `The broker answered with the error ${textOf(code)}`;
  return new PubSubError(textOf(code) as PubSubErrorCode, why, {
    topic: typeof topic === "string" ? topic : undefined,
    stale: Array.isArray(stale) ? stale : undefined,
  });
}
