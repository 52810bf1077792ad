import { jsonFrame } from "../../frame/frame_encoder.ts";
import type { Frame, FrameHeader, OutgoingFrame } from "../../frame/mod.ts";
import type { Peer } from "../../net/mod.ts";
import { RequestError } from "../../request/request_error.ts";
import type { Engine } from "../engine.ts";
import { MAX_INLINE_BYTES } from "../limits.ts";
import { putReply } from "../reply/replies.ts";

/** The most bytes of requests that wait to be parsed, of all clients together. */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;

/**
 * Answers requests of more than 64 KiB: a worker parses them, and their texts go from there to the
 * index without becoming strings of this thread.
 */
export class LargeRequests {
  readonly #engine: Engine;
  /** Of each client, when its last large request was handed to the index. */
  readonly #handedOver = new WeakMap<Peer, Promise<void>>();
  #waitingBytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Resolves when the writes that a client asked for before can no longer be overtaken; `undefined`
   * if there is nothing to wait for.
   */
  before(client: Peer): Promise<void> | undefined {
    return this.#handedOver.get(client);
  }

  /** Answers a request that is a `put`; of any other this is an error. */
  answer(frame: Frame, client: Peer): Promise<OutgoingFrame> {
    if (!this.#engine.writable) {
      const message = `The content has more than ${MAX_INLINE_BYTES} bytes`;
      throw new RequestError("bad-request", `${message}, and the server takes no changes`);
    }
    const { length } = frame.content;
    this.#hold(length, client);
    const before = this.before(client);
    const { promise, resolve } = Promise.withResolvers<void>();
    const handedOver = () => {
      resolve();
      // Only after those who waited for it: else a write that comes right now would overtake them.
      queueMicrotask(() => {
        if (this.#handedOver.get(client) === promise) this.#handedOver.delete(client);
      });
    };
    this.#handedOver.set(client, promise);
    return this.#put(frame, client, before, handedOver).finally(handedOver);
  }

  /** Counts the copy that goes to the worker. One alone is always taken. */
  #hold(bytes: number, client: Peer): void {
    const isAlone = this.#waitingBytes === 0;
    const hasRoom = this.#waitingBytes + bytes <= MAX_WAITING_BYTES && client.tryHold(bytes);
    if (!hasRoom && !isAlone) {
      throw new RequestError("busy", "Too many large requests wait already; try again in a moment");
    }
    if (!hasRoom) client.countHeld(bytes);
    this.#waitingBytes += bytes;
  }

  async #put(
    { content, header }: Frame,
    client: Peer,
    before: Promise<void> | undefined,
    handedOver: () => void,
  ): Promise<OutgoingFrame> {
    const { length } = content;
    try {
      const request = { content: content.slice(), header: textFields(header) };
      const parsed = await this.#engine.parse(request, client);
      if ("code" in parsed) throw new RequestError(parsed.code, parsed.message);
      await before;
      const storing = this.#engine.store(parsed, client);
      handedOver();
      await storing;
      return jsonFrame(putReply(parsed.key));
    } finally {
      this.#waitingBytes -= length;
      client.countHeld(-length);
    }
  }
}

/** The fields of a header that say how text is decoded: the others may be large. */
function textFields(header: FrameHeader): FrameHeader {
  const { byteorder } = header;
  return {
    byteorder,
    "content-type": header["content-type"],
    "content-encoding": header["content-encoding"],
    "content-length": header["content-length"],
  };
}
