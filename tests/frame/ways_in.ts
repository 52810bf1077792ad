import {
  ChunkDecoder,
  type Frame,
  FrameDecoder,
  type FrameDecoderOptions,
  FrameDecoderStream,
  FrameError,
  type FrameHeader,
  readMessages,
} from "../../lib/frame/mod.ts";

/** A frame as a test keeps it: the content is a copy, the header the decoder's own object. */
export interface Received {
  readonly header: FrameHeader;
  readonly content: Uint8Array;
}

/** What came of a stream of bytes. Errors that the decoder can go on behind come first. */
export interface Outcome {
  readonly frames: Received[];
  readonly errors: FrameError[];
}

/** One of the ways to decode a stream that comes in chunks. */
export interface WayIn {
  readonly name: string;
  decode(chunks: readonly Uint8Array[], options?: FrameDecoderOptions): Promise<Outcome>;
}

/** Copies a whole frame out of its buffer. */
export function keep(frame: Frame): Received {
  return { header: frame.header, content: frame.content.slice() };
}

/**
 * Decodes as a socket loop does: bytes are read behind those not consumed, into a buffer that is
 * moved to its front and doubles when full. What was consumed is overwritten at once.
 */
export function decodeLikeASocket(
  chunks: readonly Uint8Array[],
  options: FrameDecoderOptions = {},
  decoder: FrameDecoder = new FrameDecoder(options),
): Outcome {
  const frames: Received[] = [];
  const errors: FrameError[] = [];
  let buffer = new Uint8Array(64);
  let start = 0;
  let end = 0;
  for (let chunk of chunks) {
    while (chunk.length > 0) {
      if (end === buffer.length && start > 0) {
        buffer.copyWithin(0, start, end);
        [start, end] = [0, end - start];
      }
      if (end === buffer.length) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer = larger;
      }
      const count = Math.min(chunk.length, buffer.length - end);
      buffer.set(chunk.subarray(0, count), end);
      chunk = chunk.subarray(count);
      end += count;
      for (;;) {
        const batch = decoder.decode(buffer, start, end);
        for (const frame of batch.frames) frames.push(keep(frame));
        start += batch.consumed;
        buffer.fill(0x5a, 0, start);
        if (batch.error === undefined) break;
        errors.push(batch.error);
        if (!batch.error.recoverable) return { frames, errors };
      }
    }
  }
  const error = decoder.end();
  if (error !== undefined) errors.push(error);
  return { frames, errors };
}

/** Decodes chunks with a `ChunkDecoder`. */
export function decodeChunks(
  chunks: readonly Uint8Array[],
  options: FrameDecoderOptions = {},
): Outcome {
  const decoder = new ChunkDecoder(options);
  const frames: Received[] = [];
  const errors: FrameError[] = [];
  for (const chunk of chunks) {
    let batch = decoder.push(chunk);
    for (;;) {
      for (const frame of batch.frames) frames.push(keep(frame));
      if (batch.error === undefined) break;
      errors.push(batch.error);
      if (!batch.error.recoverable) return { frames, errors };
      batch = decoder.push(new Uint8Array(0));
    }
  }
  const error = decoder.end();
  if (error !== undefined) errors.push(error);
  return { frames, errors };
}

/** Decodes chunks with a `FrameDecoderStream`. */
export async function decodeByStream(
  chunks: readonly Uint8Array[],
  options: FrameDecoderOptions = {},
): Promise<Outcome> {
  const frames: Received[] = [];
  const errors: FrameError[] = [];
  const stream = ReadableStream.from(chunks).pipeThrough(
    new FrameDecoderStream({ ...options, onSkip: (error) => errors.push(error) }),
  );
  await collectError(errors, async () => {
    for await (const batch of stream) {
      for (const frame of batch) frames.push(keep(frame));
    }
  });
  return { frames, errors };
}

/** Decodes chunks with `readMessages`, reading the content of every message. */
export async function decodeMessages(
  chunks: readonly Uint8Array[],
  options: FrameDecoderOptions = {},
): Promise<Outcome> {
  const frames: Received[] = [];
  const errors: FrameError[] = [];
  const messages = readMessages(ReadableStream.from(chunks), {
    maxContentBytes: options.maxContentBytes ?? 16_777_216,
    maxHeaderBytes: options.maxHeaderBytes,
    onSkip: (error) => errors.push(error),
  });
  await collectError(errors, async () => {
    for await (const message of messages) {
      frames.push({ header: message.header, content: (await message.bytes()).slice() });
    }
  });
  return { frames, errors };
}

async function collectError(errors: FrameError[], run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    errors.push(error);
  }
}

/** The ways in that call the decoder directly: fast enough for many thousands of cases. */
export const DIRECT_WAYS_IN: readonly WayIn[] = [
  {
    name: "FrameDecoder",
    decode: (chunks, options) => Promise.resolve(decodeLikeASocket(chunks, options)),
  },
  {
    name: "ChunkDecoder",
    decode: (chunks, options) => Promise.resolve(decodeChunks(chunks, options)),
  },
];

/** All ways in. */
export const WAYS_IN: readonly WayIn[] = [
  ...DIRECT_WAYS_IN,
  { name: "FrameDecoderStream", decode: decodeByStream },
  { name: "readMessages", decode: decodeMessages },
];
