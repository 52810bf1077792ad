import type { ConsumerMemberRecord } from "./consumer_member.ts";

/** A message that a consumer has taken and that is not acknowledged. */
export interface ConsumerEntry {
  /** Its number in the stream; that of a dead letter which is delivered again, negative. */
  readonly seq: number;
  /** How many deliveries it has had. */
  attempt: number;
  /** The number of the open delivery; 0 while it waits to be delivered again. */
  delivery: number;
  /** Who has the open delivery. */
  member: ConsumerMemberRecord | undefined;
  /** Until when the open delivery may be acknowledged, or from when on it is delivered again. */
  at: number;
  /** When it was delivered last. */
  takenAt: number;
  /** Why its last delivery failed. */
  reason: string | undefined;
}

/** How many numbers are kept for each entry. */
const NUMBERS = 3;

/** What keeping an entry takes. */
export const ENTRY_BYTES = NUMBERS * Float64Array.BYTES_PER_ELEMENT;

/** Entries as they are kept in the consumer's row. Reasons are not. */
export function encodeEntries(entries: Iterable<ConsumerEntry>): Uint8Array {
  const numbers: number[] = [];
  for (const { seq, attempt, delivery, at } of entries) {
    numbers.push(seq, attempt, delivery > 0 ? 0 : at);
  }
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

/** Reads them. All wait to be delivered: the connections that had them are gone. */
export function decodeEntries(bytes: Uint8Array): ConsumerEntry[] {
  const numbers = new Float64Array(bytes.slice().buffer);
  const entries: ConsumerEntry[] = [];
  for (let i = 0; i + NUMBERS <= numbers.length; i += NUMBERS) {
    entries.push({
      seq: numbers[i]!,
      attempt: numbers[i + 1]!,
      delivery: 0,
      member: undefined,
      at: numbers[i + 2]!,
      takenAt: 0,
      reason: undefined,
    });
  }
  return entries;
}
