/** A stream of bytes that notes what is asked of it. */
export interface ByteSource {
  readonly stream: ReadableStream<Uint8Array>;
  /** How many chunks have been asked for. */
  pulls: number;
  /** Why it was cancelled. */
  cancelled: unknown[];
}

/** Gives the chunks one at a time, only as they are asked for; an `Error` among them fails it. */
export function byteSource(chunks: Iterable<Uint8Array | Error>): ByteSource {
  const iterator = chunks[Symbol.iterator]();
  const source: ByteSource = {
    pulls: 0,
    cancelled: [],
    stream: new ReadableStream<Uint8Array>({
      pull(controller) {
        source.pulls++;
        const { done, value } = iterator.next();
        if (done) controller.close();
        else if (value instanceof Error) controller.error(value);
        else controller.enqueue(value);
      },
      cancel(reason) {
        source.cancelled.push(reason);
      },
    }, { highWaterMark: 0 }),
  };
  return source;
}

/** Single bytes. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** All of a stream's chunks as one text. */
export async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
