/**
 * How publications, and what became of them, stand in the memory that the broker and the thread that
 * writes share: most batches have nothing else.
 *
 * @module
 */
import type { Appended, AppendOrder, OrderResult, StoreReport } from "./orders.ts";

/** The most bytes of such a batch, and of what became of it. */
export const BATCH_BYTES = 262_144;
export const OUTCOME_BYTES = 65_536;

/** What stands before a stream's name, of at most 64 letters of ASCII; and behind it. */
const BEFORE_NAME = 2, BEHIND_NAME = 12;

/** Instead of a list: all are asked about. */
const ALL = 0xffff_ffff;

/** Figures that are told of a stream: which order it is of, the last number, how many, their bytes. */
const FIGURES = 4;

/** Writes a batch. @returns its size; `undefined`, if it is too large. */
export function writeAppends(
  out: Uint8Array,
  appends: readonly AppendOrder[],
): number | undefined {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  let at = 4;
  if (at > out.length) return undefined;
  view.setUint32(0, appends.length, true);
  for (const { stream, frames, count, asked, awaited } of appends) {
    const isAll = asked.length === count;
    const bytes = BEFORE_NAME + stream.length + BEHIND_NAME + frames.length;
    if (at + bytes + (isAll ? 0 : 4 * asked.length) > out.length) return undefined;
    view.setUint8(at++, awaited ? 1 : 0);
    view.setUint8(at++, stream.length);
    for (let i = 0; i < stream.length; i++) out[at++] = stream.charCodeAt(i);
    for (const number of [count, isAll ? ALL : asked.length, frames.length]) {
      view.setUint32(at, number, true);
      at += 4;
    }
    if (!isAll) {
      for (const place of asked) {
        view.setUint32(at, place, true);
        at += 4;
      }
    }
    out.set(frames, at);
    at += frames.length;
  }
  return at;
}

/** Reads a batch; the frames are views. */
export function readAppends(bytes: Uint8Array): AppendOrder[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const orders: AppendOrder[] = [];
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left--) {
    const awaited = view.getUint8(at++) === 1;
    const nameEnd = at + 1 + view.getUint8(at);
    const stream = String.fromCharCode(...bytes.subarray(at + 1, nameEnd));
    const [count, places, length] = [0, 4, 8].map((i) => view.getUint32(nameEnd + i, true)) as [
      number,
      number,
      number,
    ];
    at = nameEnd + BEHIND_NAME;
    const asked = Array.from({ length: places === ALL ? count : places }, (_, i) => i);
    if (places !== ALL) {
      for (let i = 0; i < places; i++, at += 4) asked[i] = view.getUint32(at, true);
    }
    orders.push({
      kind: "append",
      stream,
      frames: bytes.subarray(at, at + length),
      count,
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
  for (let i = 0; i < numbers[0]!; i++) {
    const [order, lastSeq, count, ofBytes] = numbers.subarray(1 + FIGURES * i) as unknown as [
      number,
      number,
      number,
      number,
    ];
    appended.push({ name: orders[order]!.stream, lastSeq, count, bytes: ofBytes });
  }
  let at = 1 + FIGURES * appended.length;
  const results = orders.map(({ asked }) => ({
    value: Array.from(numbers.subarray(at, at += asked.length)),
  }));
  return { results, appended };
}
