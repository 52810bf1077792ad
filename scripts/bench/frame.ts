/**
 * How fast the codec is, in memory: `deno run scripts/bench/frame.ts`.
 *
 * @module
 */
import {
  ByteBuffer,
  encodeFrame,
  FrameDecoder,
  readMessages,
  writeFrame,
} from "../../lib/frame/mod.ts";

const CONTENT = new Uint8Array(64).fill(0x61);

/** What a decoder is given at a time: as much as a busy socket's read buffer holds. */
const WINDOW_BYTES = 65_536;

/** Frames for one measurement whose headers are all equal, about 17 MB. */
const EQUAL_FRAMES = 100_000;

/** Frames for one measurement whose headers all differ, about 36 MB. */
const DIFFERENT_FRAMES = 200_000;

const ROUNDS = 5;

type Fields = (index: number) => Record<string, unknown>;

/** Encodes `count` frames; the fields are asked for with indexes from `first`. */
function makeFrames(fields: Fields, first: number, count: number): Uint8Array<ArrayBuffer> {
  const buffer = new ByteBuffer(count * 200);
  for (let i = first; i < first + count; i++) {
    writeFrame(buffer, { header: { "content-type": "text/json", ...fields(i) }, content: CONTENT });
  }
  return buffer.view();
}

/** Decodes all of it, a window at a time, and touches the size of each content. */
function decodeAll(decoder: FrameDecoder, bytes: Uint8Array): number {
  let frameCount = 0;
  let contentBytes = 0;
  for (let start = 0; start < bytes.length;) {
    const batch = decoder.decode(bytes, start, Math.min(start + WINDOW_BYTES, bytes.length));
    if (batch.error !== undefined) throw batch.error;
    for (const frame of batch.frames) contentBytes += frame.content.length;
    frameCount += batch.frames.length;
    start += batch.consumed;
  }
  if (contentBytes !== frameCount * CONTENT.length) throw new Error("Content was lost");
  return frameCount;
}

/** The rate of the median round: `work` gives how many things it did. */
async function rate(work: (round: number) => number | Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const count = await work(round);
    rates.push(count / (performance.now() - start) * 1_000);
  }
  return rates.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

/** Decodes frames with equal headers, all by one decoder as one connection would. */
function decodeEqual(): Promise<number> {
  const bytes = makeFrames(() => ({}), 0, EQUAL_FRAMES);
  const decoder = new FrameDecoder();
  for (let i = 0; i < 3; i++) decodeAll(decoder, bytes);
  return rate(() => decodeAll(decoder, bytes));
}

/** Decodes frames of which no two in the whole measurement have the same header. */
function decodeDifferent(fields: Fields): number {
  const decoder = new FrameDecoder();
  decodeAll(decoder, makeFrames(fields, 0, DIFFERENT_FRAMES));
  const rates: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const bytes = makeFrames(fields, round * DIFFERENT_FRAMES, DIFFERENT_FRAMES);
    const start = performance.now();
    const count = decodeAll(decoder, bytes);
    rates.push(count / (performance.now() - start) * 1_000);
  }
  return rates.sort((a, b) => a - b)[ROUNDS >> 1]!;
}

/** Encodes into one buffer that is emptied every 64 KiB, as a connection's write queue is. */
function encode(content: Uint8Array | string): Promise<number> {
  const buffer = new ByteBuffer();
  const header = { "content-type": "text/json", "content-encoding": "utf-8" };
  const work = () => {
    for (let i = 0; i < EQUAL_FRAMES; i++) {
      if (buffer.length > WINDOW_BYTES) buffer.clear();
      writeFrame(buffer, { header, content });
    }
    return EQUAL_FRAMES;
  };
  work();
  return rate(work);
}

/** Reads messages from a stream of 64 KiB chunks, and the content of each. */
function messages(): Promise<number> {
  const bytes = makeFrames(() => ({}), 0, EQUAL_FRAMES);
  const work = async () => {
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
    return count;
  };
  return rate(work);
}

/** Runs all measurements: name to frames (or messages) per second. */
export async function run(): Promise<Record<string, number>> {
  return {
    "frame decode, equal headers": await decodeEqual(),
    "frame decode, headers with an id": decodeDifferent((i) => ({ id: i })),
    "frame decode, headers with a random text": decodeDifferent((i) => ({
      // A permutation of the 32-bit numbers: no two are the same.
      trace: (Math.imul(i, 2_654_435_761) >>> 0).toString(16),
      op: "pub",
    })),
    "frame encode, bytes": await encode(CONTENT),
    "frame encode, text": await encode("a".repeat(64)),
    "frame readMessages": await messages(),
  };
}

if (import.meta.main) {
  // deno-lint-ignore no-console
  const print = console.log;
  const bytes = encodeFrame({ header: { "content-type": "text/json" }, content: CONTENT }).length;
  print(`content of ${CONTENT.length} bytes, frames of ${bytes} bytes and more`);
  for (const [name, perSecond] of Object.entries(await run())) {
    print(`${name.padEnd(42)} ${(perSecond / 1e6).toFixed(2).padStart(7)} M/s`);
  }
}
