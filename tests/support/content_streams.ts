/** Streams of every kind, to be sent as content. They note what is asked of them. */

/** What a stream gives next: bytes, an error that it fails with, or nothing any more, without an end. */
export type Step = Uint8Array | Error | "hang";

/** A stream and what became of it. */
export interface ContentStream {
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes that it has given. */
  given: number;
  /** Why it was cancelled. */
  cancelled: unknown[];
}

/** The kinds of streams: they differ in whose memory the bytes are read into. */
export const STREAM_KINDS = ["plain", "filling bytes", "enqueueing bytes"] as const;

/** A kind of stream. */
export type StreamKind = (typeof STREAM_KINDS)[number];

/** A stream that takes the steps one by one as it is asked, and then ends. */
export function contentStream(steps: Iterable<Step>, kind: StreamKind = "plain"): ContentStream {
  const iterator = steps[Symbol.iterator]();
  /** What did not fit into the reader's memory. */
  let rest: Uint8Array | undefined;
  const content = { given: 0, cancelled: [] as unknown[] };
  const cancel = (reason: unknown) => {
    content.cancelled.push(reason);
    iterator.return?.();
  };
  const pull = (
    controller: ReadableStreamDefaultController<Uint8Array> | ReadableByteStreamController,
  ): Promise<void> | void => {
    const { done, value } = rest ? { done: false, value: rest } : iterator.next();
    const request = "byobRequest" in controller ? controller.byobRequest : null;
    if (done) {
      controller.close();
      request?.respond(0);
    } else if (value instanceof Error) controller.error(value);
    else if (value === "hang") return new Promise(() => {});
    else if (kind === "filling bytes" && request?.view && value.length > 0) {
      const view = new Uint8Array(
        request.view.buffer,
        request.view.byteOffset,
        request.view.byteLength,
      );
      const part = value.subarray(0, view.length);
      view.set(part);
      rest = part.length < value.length ? value.subarray(part.length) : undefined;
      content.given += part.length;
      request.respond(part.length);
    } else {
      rest = undefined;
      content.given += value.length;
      // A byte stream takes no empty chunk.
      if (kind === "plain" || value.length > 0) controller.enqueue(value.slice() as never);
      else return pull(controller);
    }
  };
  const stream: ReadableStream<Uint8Array> = kind === "plain"
    ? new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 })
    : new ReadableStream({ type: "bytes", pull, cancel });
  return Object.assign(content, { stream });
}

/** An array of `count` equal bytes. */
export function bytes(count: number, value = 120): Uint8Array<ArrayBuffer> {
  return new Uint8Array(count).fill(value);
}

/** How a stream of 1,000 bytes may fail after its first, and with what code. */
export const FAILURES: Record<string, [steps: Step[], code: string]> = {
  "gives less than it said": [[bytes(10), bytes(20)], "too-short"],
  "gives more than it said": [[bytes(10), bytes(980), bytes(11)], "too-long"],
  fails: [[bytes(10), new Error("the disk is gone")], "failed"],
  "gives nothing for too long": [[bytes(10), "hang"], "timed-out"],
  "does not end": [[bytes(10), bytes(990), "hang"], "timed-out"],
};

/** How a stream may fail before its first byte can be sent, of how many are due, and with what code. */
export const EARLY_FAILURES: Record<string, [steps: Step[], length: number, code: string]> = {
  "gives nothing": [[], 1_000, "too-short"],
  "gives something where nothing is due": [[bytes(1)], 0, "too-long"],
  "gives too much at once": [[bytes(1_001)], 1_000, "too-long"],
  fails: [[new Error("the disk is gone")], 1_000, "failed"],
  "gives nothing for too long": [["hang"], 1_000, "timed-out"],
  "does not end behind its first bytes": [[bytes(1_000), "hang"], 1_000, "timed-out"],
};
