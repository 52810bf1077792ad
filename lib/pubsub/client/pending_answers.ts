import type { FrameHeader, HeaderInit, OutgoingFrame } from "../../frame/mod.ts";
import type { PubSubErrorCode } from "../protocol/codes.ts";
import { PubSubError } from "./pubsub_error.ts";

interface Pending {
  resolve(header: FrameHeader): void;
  reject(error: unknown): void;
  /** Whether the request still waits for a connection. */
  unsent: boolean;
}

/** Requests with an `id` that the broker has not answered. */
export class PendingAnswers {
  readonly #byId = new Map<number, Pending>();
  #lastId = 0;

  /** An id that no other request has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Waits for the answer to a request.
   *
   * @param unsent Whether the request waits for a connection.
   * @returns The answer's header.
   * @throws {PubSubError} what the broker refused the request with, or why no answer comes.
   */
  wait(id: number, unsent: boolean): Promise<FrameHeader> {
    return new Promise((resolve, reject) => this.#byId.set(id, { resolve, reject, unsent }));
  }

  /** Sends a request without content on a connection, and waits for the answer. */
  ask(
    link: { send(frame: OutgoingFrame): Promise<void> },
    op: string,
    fields: HeaderInit,
    id: number = this.nextId(),
  ): Promise<FrameHeader> {
    const answer = this.wait(id, false);
    void link.send({ header: { op, id, ...fields } });
    return answer;
  }

  /** Takes an `ok`, a `pong` or an `error`; `false` if nobody waits for it. */
  settle(header: FrameHeader): boolean {
    const { id, op } = header;
    const pending = this.#byId.get(id as number);
    if (pending === undefined) return false;
    this.#byId.delete(id as number);
    if (op === "error") pending.reject(refusalOf(header));
    else pending.resolve(header);
    return true;
  }

  /** Rejects the promise of one request, if it is not answered yet. */
  giveUp(id: number, error: unknown): void {
    const pending = this.#byId.get(id);
    this.#byId.delete(id);
    pending?.reject(error);
  }

  /** Notes that the requests which waited for a connection are sent. */
  sent(): void {
    for (const pending of this.#byId.values()) pending.unsent = false;
  }

  /** Rejects the promises of all requests; of those that wait for a connection only if `all`. */
  fail(error: PubSubError, all: boolean): void {
    for (const [id, pending] of this.#byId) {
      if (pending.unsent && !all) continue;
      this.#byId.delete(id);
      pending.reject(error);
    }
  }
}

/** The error that an `error` of the broker stands for. */
export function refusalOf({ code, message }: FrameHeader): PubSubError {
  return new PubSubError(String(code) as PubSubErrorCode, String(message));
}
