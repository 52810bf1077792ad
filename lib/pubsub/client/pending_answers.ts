import type { FrameHeader } from "../../frame/mod.ts";
import type { PubSubErrorCode } from "../protocol/codes.ts";
import { PubSubError } from "./pubsub_error.ts";

interface Pending {
  resolve(header: FrameHeader): void;
  reject(error: PubSubError): void;
  /** Whether it was not handed to a connection yet. */
  unsent: boolean;
}

/** Requests with an `id` that the broker has not answered. */
export class PendingAnswers {
  readonly #byId = new Map<number, Pending>();
  #lastId = 0;

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** An id that no other request has. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Waits for the answer to a request: its header, or what the broker refused it with. */
  wait(id: number, unsent: boolean): Promise<FrameHeader> {
    return new Promise((resolve, reject) => this.#byId.set(id, { resolve, reject, unsent }));
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

  /** Gives up one, if nobody has answered it. */
  giveUp(id: number, error: PubSubError): void {
    const pending = this.#byId.get(id);
    this.#byId.delete(id);
    pending?.reject(error);
  }

  /** What waited for a connection has gone out. */
  sent(): void {
    for (const pending of this.#byId.values()) pending.unsent = false;
  }

  /** Gives up; those that wait for a connection only if `all`. */
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
