/**
 * How fast the codec is, in memory.
 *
 * @module
 */
import { ByteBuffer, FrameDecoder, readMessages, writeFrame } from "../../lib/frame/mod.ts";
import type { LibraryRows } from "./library_rows.ts";
import { type Figures, median } from "./support.ts";

const CONTENT = new Uint8Array(64).fill(0x61);

/** What a decoder is given at a time: as much as a busy socket's read buffer holds. */
const WINDOW_BYTES = 65_536;

/** Frames that are encoded or decoded in a round: about 17 MB. */
const FRAMES = 100_000;

/** Rounds of one measurement; the median counts. */
const ROUNDS = 3;

type Fields = (index: number) => Record<string, unknown>;

/** Encodes a round's frames; the fields are asked for with indexes from `first`. */
function makeFrames(fields: Fields, first: number): Uint8Array<ArrayBuffer> {
  const buffer = new ByteBuffer(FRAMES * 200);
  for (let i = first; i < first + FRAMES; i++) {
    writeFrame(buffer, { header: { "content-type": "text/json", ...fields(i) }, content: CONTENT });
  }
  return buffer.view();
}

/** Decodes a round's frames, a window at a time, and touches the size of each content. */
function decodeAll(decoder: FrameDecoder, bytes: Uint8Array): void {
  let frameCount = 0;
  let contentBytes = 0;
  for (let start = 0; start < bytes.length;) {
    const batch = decoder.decode(bytes, start, Math.min(start + WINDOW_BYTES, bytes.length));
    if (batch.error !== undefined) throw batch.error;
    for (const frame of batch.frames) contentBytes += frame.content.length;
    frameCount += batch.frames.length;
    start += batch.consumed;
  }
  if (frameCount !== FRAMES) throw new Error("Frames were lost");
  if (contentBytes !== FRAMES * CONTENT.length) throw new Error("Content was lost");
}

/**
 * Makes a row of a round, which tells how long its measured part took: the rate of the median of some
 * rounds, after as many that warm up.
 */
function row(round: () => number | Promise<number>): () => Promise<number> {
  let warm = false;
  return async () => {
    const times: number[] = [];
    for (let i = warm ? 0 : -ROUNDS; i < ROUNDS; i++) {
      const ms = await round();
      if (i >= 0) times.push(ms);
    }
    warm = true;
    return FRAMES / median(times) * 1_000;
  };
}

/** How long a work takes, in milliseconds. */
async function timeOf(work: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Decodes frames with equal headers, all by one decoder as one connection would. */
function decodeEqual(): () => Promise<number> {
  const bytes = makeFrames(() => ({}), 0);
  const decoder = new FrameDecoder();
  return row(() => timeOf(() => decodeAll(decoder, bytes)));
}

/** Decodes frames of which no two in the whole measurement have the same header. */
function decodeDifferent(fields: Fields): () => Promise<number> {
  const decoder = new FrameDecoder();
  let next = 0;
  return row(() => {
    const bytes = makeFrames(fields, next);
    next += FRAMES;
    return timeOf(() => decodeAll(decoder, bytes));
  });
}

/** Encodes into one buffer that is emptied every 64 KiB, as a connection's write queue is. */
function encode(content: Uint8Array | string): () => Promise<number> {
  const buffer = new ByteBuffer();
  const header = { "content-type": "text/json", "content-encoding": "utf-8" };
  return row(() =>
    timeOf(() => {
      for (let i = 0; i < FRAMES; i++) {
        if (buffer.length > WINDOW_BYTES) buffer.clear();
        writeFrame(buffer, { header, content });
      }
    })
  );
}

/** Reads messages from a stream of 64 KiB chunks. */
function messages(): () => Promise<number> {
  const bytes = makeFrames(() => ({}), 0);
  return row(() =>
    timeOf(async () => {
      let start = 0;
      const chunks = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (start >= bytes.length) return controller.close();
          controller.enqueue(bytes.subarray(start, start += WINDOW_BYTES));
        },
      }, { highWaterMark: 0 });
      let count = 0;
      for await (const message of readMessages(chunks)) {
        if (message.header["content-length"] === CONTENT.length) count++;
      }
      if (count !== FRAMES) throw new Error("Messages were lost");
    })
  );
}

/** Makes the rows: each takes memory from its first measurement on. */
const ROWS: Readonly<Record<string, () => () => Promise<number>>> = {
  "decode, equal headers": decodeEqual,
  "decode, headers with an id": () => decodeDifferent((i) => ({ id: i })),
  // A permutation of the 32-bit numbers: no two are the same.
  "decode, headers with a random text": () =>
    decodeDifferent((i) => ({
      trace: (Math.imul(i, 2_654_435_761) >>> 0).toString(16),
      op: "pub",
    })),
  "encode, bytes": () => encode(CONTENT),
  "encode, text": () => encode("a".repeat(64)),
  readMessages: messages,
};

/** The rows, in frames (or messages) per second. */
export function open(): Promise<LibraryRows> {
  const made = new Map<string, () => Promise<number>>();
  const rows = Object.entries(ROWS).map(([name, make]) => [name, () => {
    let measure = made.get(name);
    if (measure === undefined) made.set(name, measure = make());
    return measure();
  }]);
  return Promise.resolve({ rows: Object.fromEntries(rows), async [Symbol.asyncDispose]() {} });
}

/** Measures all rows. */
export async function run(): Promise<Figures> {
  const figures: Figures = {};
  for (const [name, make] of Object.entries(ROWS)) figures[`${name}, /s`] = await make()();
  return figures;
}
