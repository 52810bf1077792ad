/**
 * How publications, and what became of them, stand in the memory that the broker and the thread that
 * writes share: most batches have nothing else.
 *
 * @module
 */
import type { Appended, AppendOrder, OrderResult, StoreReport } from "./orders.ts";
import { newPublicationList, type PublicationList } from "./publication_list.ts";

/** The most bytes of such a batch, and of what became of it. */
export const BATCH_BYTES = 393_216;
export const OUTCOME_BYTES = 65_536;

/** The size of a batch of no orders: it begins with how many it has. */
export const EMPTY_BATCH_BYTES = 4;

/** What stands before a stream's name, of at most 64 letters of ASCII; and behind it. */
const BEFORE_NAME = 2, BEHIND_NAME = 16;

/** What stands for a publication, beside its texts and its frame; and for one of those asked about. */
const NUMBERS_BYTES = 16, PLACE_BYTES = 4;

/** Instead of a list: all are asked about. */
const ALL = 0xffff_ffff;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Figures that are told of a stream: which order it is of, the last number, how many, their bytes. */
const FIGURES = 4;

/**
 * The most bytes that publications to a stream take in a batch. Their texts are parts of their frames, and
 * no longer there.
 */
export function mostBatchBytes(stream: string, count: number, frameBytes: number): number {
  const eachBytes = NUMBERS_BYTES + PLACE_BYTES;
  return BEFORE_NAME + stream.length + BEHIND_NAME + eachBytes * count + 2 * frameBytes;
}

/** Writes a batch. @returns its size; `undefined`, if it is too large. */
export function writeAppends(
  out: Uint8Array,
  appends: readonly AppendOrder[],
): number | undefined {
  return addAppends(out, EMPTY_BATCH_BYTES, 0, appends);
}

/**
 * Adds to a batch that is written.
 *
 * @param size Its size. @param orders How many orders it has.
 * @returns its new size; `undefined`, if it would be too large.
 */
export function addAppends(
  out: Uint8Array,
  size: number,
  orders: number,
  appends: readonly AppendOrder[],
): number | undefined {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let at = size;
  if (at > out.length) return undefined;
  for (const { stream, frames, publications, asked, awaited } of appends) {
    const count = publications.ends.length;
    const isAll = asked.length === count;
    const text = textOf(publications);
    const bytes = BEFORE_NAME + stream.length + BEHIND_NAME + NUMBERS_BYTES * count;
    if (at + bytes + (isAll ? 0 : PLACE_BYTES * asked.length) > out.length) return undefined;
    view.setUint8(at++, awaited ? 1 : 0);
    view.setUint8(at++, stream.length);
    for (let i = 0; i < stream.length; i++) out[at++] = stream.charCodeAt(i);
    view.setUint32(at, count, true);
    view.setUint32(at + 4, isAll ? ALL : asked.length, true);
    view.setUint32(at + 8, frames.length, true);
    const textBytes = at + 12;
    at += BEHIND_NAME;
    if (!isAll) {
      for (const place of asked) {
        view.setUint32(at, place, true);
        at += PLACE_BYTES;
      }
    }
    writeNumbers(view, at, publications);
    at += NUMBERS_BYTES * count;
    const { read, written } = encoder.encodeInto(text, out.subarray(at));
    view.setUint32(textBytes, written, true);
    at += written;
    if (read < text.length || at + frames.length > out.length) return undefined;
    out.set(frames, at);
    at += frames.length;
  }
  view.setUint32(0, orders + appends.length, true);
  return at;
}

/** The texts of publications, one behind the other. A topic that repeats the last one is left out. */
function textOf({ topics, messageIds }: PublicationList): string {
  const texts: string[] = [];
  for (let i = 0; i < topics.length; i++) {
    if (topics[i] !== topics[i - 1]) texts.push(topics[i]!);
    texts.push(messageIds[i]!);
  }
  return texts.join("");
}

/** Writes where frames and texts end, and which numbers are expected. */
function writeNumbers(
  view: DataView,
  start: number,
  { ends, topics, messageIds, expected }: PublicationList,
): void {
  for (let i = 0, at = start; i < ends.length; i++, at += NUMBERS_BYTES) {
    view.setUint32(at, ends[i]!, true);
    view.setUint16(at + 4, topics[i] === topics[i - 1] ? 0 : topics[i]!.length, true);
    view.setUint16(at + 6, messageIds[i]!.length, true);
    view.setFloat64(at + 8, expected[i]!, true);
  }
}

function readPublications(
  view: DataView,
  start: number,
  count: number,
  text: string,
): PublicationList {
  const list = newPublicationList();
  let topic = "";
  let from = 0;
  for (let i = 0, at = start; i < count; i++, at += NUMBERS_BYTES) {
    const topicEnd = from + view.getUint16(at + 4, true);
    if (topicEnd > from) topic = text.slice(from, topicEnd);
    const idEnd = topicEnd + view.getUint16(at + 6, true);
    list.ends.push(view.getUint32(at, true));
    list.topics.push(topic);
    list.messageIds.push(text.slice(topicEnd, idEnd));
    list.expected.push(view.getFloat64(at + 8, true));
    from = idEnd;
  }
  return list;
}

/** Reads a batch; the frames are views. */
export function readAppends(bytes: Uint8Array): AppendOrder[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const orders: AppendOrder[] = [];
  let at = EMPTY_BATCH_BYTES;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const awaited = view.getUint8(at++) === 1;
    const nameEnd = at + 1 + view.getUint8(at);
    let stream = "";
    for (at++; at < nameEnd; at++) stream += String.fromCharCode(bytes[at]!);
    const count = view.getUint32(nameEnd, true);
    const places = view.getUint32(nameEnd + 4, true);
    const length = view.getUint32(nameEnd + 8, true);
    const textBytes = view.getUint32(nameEnd + 12, true);
    at = nameEnd + BEHIND_NAME;
    const asked: number[] = [];
    if (places === ALL) { for (let i = 0; i < count; i++) asked.push(i); }
    else for (let i = 0; i < places; i++, at += PLACE_BYTES) asked.push(view.getUint32(at, true));
    const textStart = at + NUMBERS_BYTES * count;
    const text = decoder.decode(bytes.subarray(textStart, textStart + textBytes));
    const publications = readPublications(view, at, count, text);
    at = textStart + textBytes;
    orders.push({
      kind: "append",
      stream,
      frames: bytes.subarray(at, at + length),
      publications,
      asked,
      awaited,
    });
    at += length;
  }
  return orders;
}

/**
 * Writes what became of a batch.
 *
 * @returns how many bytes that takes; `undefined` if there is more to tell than numbers.
 */
export function writeOutcomes(
  out: Uint8Array,
  orders: readonly AppendOrder[],
  { results, appended }: StoreReport,
): number | undefined {
  const numbers = new Float64Array(out.buffer, out.byteOffset, out.byteLength / 8);
  let at = 0;
  if (1 + FIGURES * appended.length > numbers.length) return undefined;
  numbers[at++] = appended.length;
  for (const { name, lastSeq, count, bytes } of appended) {
    numbers[at++] = orders.findIndex(({ stream }) => stream === name);
    numbers[at++] = lastSeq;
    numbers[at++] = count;
    numbers[at++] = bytes;
  }
  for (const result of results) {
    if (!("value" in result)) return undefined;
    const outcomes = result.value as readonly unknown[];
    if (at + outcomes.length > numbers.length) return undefined;
    for (const outcome of outcomes) {
      if (typeof outcome !== "number") return undefined;
      numbers[at++] = outcome;
    }
  }
  return 8 * at;
}

/** Reads what became of a batch. */
export function readOutcomes(
  bytes: Uint8Array,
  orders: readonly { readonly stream: string; readonly asked: readonly number[] }[],
): { readonly results: readonly OrderResult[]; readonly appended: readonly Appended[] } {
  const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  const appended: Appended[] = [];
  let at = 1;
  for (let left = numbers[0]!; left > 0; left--, at += FIGURES) {
    const name = orders[numbers[at]!]!.stream;
    const [lastSeq, count, ofBytes] = [numbers[at + 1]!, numbers[at + 2]!, numbers[at + 3]!];
    appended.push({ name, lastSeq, count, bytes: ofBytes });
  }
  const results = orders.map(({ asked }) => {
    const value: number[] = [];
    for (let left = asked.length; left > 0; left--) value.push(numbers[at++]!);
    return { value };
  });
  return { results, appended };
}
