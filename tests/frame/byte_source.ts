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

/** A source of type `bytes`, and what it was asked to read into. */
export interface MemorySource extends ByteSource {
  /** How many bytes there were room for, each time that it was given memory. */
  readonly given: number[];
}

/** The same as {@linkcode byteSource}, of type `bytes`: it reads into its reader's memory. */
export function memorySource(chunks: Iterable<Uint8Array | Error>): MemorySource {
  const iterator = chunks[Symbol.iterator]();
  let rest: Uint8Array = new Uint8Array(0);
  const source: MemorySource = {
    pulls: 0,
    cancelled: [],
    given: [],
    stream: new ReadableStream({
      type: "bytes",
      pull(controller) {
        source.pulls++;
        const request = controller.byobRequest;
        if (request) source.given.push(request.view!.byteLength);
        while (rest.length === 0) {
          const { done, value } = iterator.next();
          if (done) {
            controller.close();
            return request?.respond(0);
          }
          if (value instanceof Error) return controller.error(value);
          rest = value;
        }
        if (!request) {
          controller.enqueue(rest.slice());
          rest = rest.subarray(rest.length);
          return;
        }
        const { buffer, byteOffset, byteLength } = request.view!;
        const part = rest.subarray(0, byteLength);
        new Uint8Array(buffer, byteOffset).set(part);
        rest = rest.subarray(part.length);
        request.respond(part.length);
      },
      cancel(reason) {
        source.cancelled.push(reason);
      },
    }),
  };
  return source;
}

/** Both types of source. */
export const SOURCES: Readonly<
  Record<string, (chunks: Iterable<Uint8Array | Error>) => ByteSource>
> = { "of chunks": byteSource, "of type bytes": memorySource };

/**
 * Reads a stream of type `bytes` into memory of `size` bytes, again and again.
 *
 * @param copy Whether what comes is a copy; else it is good until the next.
 */
export async function* readInto(
  stream: ReadableStream<Uint8Array>,
  size: number,
  copy = true,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader({ mode: "byob" });
  let memory = new Uint8Array(size);
  while (true) {
    const { done, value } = await reader.read(memory);
    if (done) break;
    yield copy ? value.slice() : value;
    memory = new Uint8Array(value.buffer);
  }
  reader.releaseLock();
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
