import { countOption, FINITE, numericOption } from "../../../base/numeric_options.ts";
import { timerMs } from "../../../base/timer_ms.ts";
import type { ClientStatus } from "../client_status.ts";
import type { Publisher } from "../publishing/publisher.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { StoredPublication, StoreOptions } from "./stream_types.ts";

/** How long is waited where the broker does not say, before a publication is sent again. */
const RETRY_MS = 1_000;

/** As much stays in memory because of one content, at most. */
const SHARED_BYTES = 16_384;

const EXPECTED = countOption(undefined, 0, FINITE);

/**
 * Publishes what is to be stored. Where the connection is lost before the answer, it is sent again
 * on the next one, with the same message id: so it is stored once.
 */
export async function publishStored(
  publisher: Publisher,
  status: ClientStatus,
  topic: string,
  content: Uint8Array | string,
  options: StoreOptions,
): Promise<StoredPublication> {
  const { messageId = ownId(), timeoutMs } = options;
  const expectSeq = numericOption("expectSeq", options.expectSeq, EXPECTED);
  const endsAt = performance.now() + timerMs("timeoutMs", timeoutMs, Infinity);
  const stored = { messageId, expectSeq };
  // The caller may write to its bytes again while a retry is due.
  const kept = typeof content === "string" ? content : copyOf(content);
  while (true) {
    const leftMs = endsAt - performance.now();
    try {
      const answer = await publisher.confirm(topic, kept, {
        ...options,
        stored,
        timeoutMs: timeoutMs === undefined ? undefined : Math.max(0, leftMs),
      });
      const { stream, seq, duplicate } = answer as { readonly [field: string]: unknown };
      return { stream: stream as string, seq: seq as number, duplicate: duplicate === true };
    } catch (error) {
      const code = error instanceof PubSubError ? error.code : undefined;
      if (code !== "disconnected" && code !== "unavailable") throw error;
      if (status.state === "closed" || leftMs <= RETRY_MS) throw error;
      if (code === "unavailable") await status.pause(RETRY_MS);
    }
  }
}

let shared = new Uint8Array(0);
let used = 0;

/** Copies bytes. Few are put into memory that they share: to make some for each takes longer. */
function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > SHARED_BYTES / 8) return bytes.slice();
  if (used + bytes.length > shared.length) {
    shared = new Uint8Array(SHARED_BYTES);
    used = 0;
  }
  shared.set(bytes, used);
  return shared.subarray(used, used += bytes.length);
}

let origin: string | undefined;
let lastId = 0;

/**
 * A message id that nobody else makes. Those of one program differ only in their ends: brokers parse
 * them in less time than random ones.
 */
function ownId(): string {
  origin ??= crypto.randomUUID().replaceAll("-", "");
  return `${origin}.${++lastId}`;
}
