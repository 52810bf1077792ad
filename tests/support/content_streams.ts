/** Streams of every kind, to be sent as content, that note what is asked of them. */

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
