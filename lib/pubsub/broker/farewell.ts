import type { CloseReason, Connection } from "../../net/mod.ts";
import type { ByeReason } from "../protocol/codes.ts";
import type { Outbox } from "./delivery/outbox.ts";

/** How long a peer that is told to go may take to read what is on its way. */
const CLOSING_MS = 2_000;

/** After this part of the time for draining, a peer is told what it will not get any more. */
const LAST_WORD_SHARE = 3 / 4;

const CLOSE_REASONS: Partial<Record<ByeReason, CloseReason>> = {
  shutdown: "drained",
  idle: "idle",
  bye: "done",
  unauthorized: "unauthorized",
  "over-budget": "over-budget",
};

/** Why and how the broker ends a connection. */
export interface Farewell {
  readonly reason: ByeReason;
  /** That of the client's `bye` which this answers. */
  readonly id: number | undefined;
  /** Tells a client that it may not be connected any more. */
  readonly tellRevoked: (() => void) | undefined;
  /** How long the broker gives all connections when it drains. */
  readonly drainTimeoutMs: number;
  /** What was published to be stored is answered before the client is told to go. */
  readonly settled: Promise<void> | undefined;
}

/**
 * Ends a connection in order: what waits is delivered, then `bye`. For a slow consumer, and for who
 * may not be connected any more, what waits is dropped.
 */
export async function sayFarewell(
  connection: Connection,
  outbox: Outbox,
  { reason, id, tellRevoked, drainTimeoutMs, settled }: Farewell,
): Promise<void> {
  const sayBye = (missed: number) => {
    outbox.control("bye", { reason, missed: missed || undefined, id });
    outbox.flush();
  };
  let isTold = false;
  // A server that drains has a deadline for all, before which it is told what will not come. Else a
  // peer that reads nothing would stay.
  const timer = reason === "shutdown"
    ? setTimeout(() => {
      if (isTold && outbox.emptied()) sayBye(outbox.drop());
    }, drainTimeoutMs * LAST_WORD_SHARE)
    : setTimeout(() => connection.close("forced"), CLOSING_MS);
  if (settled) await settled;
  const missed = reason === "slow-consumer" || tellRevoked ? outbox.drop() : 0;
  tellRevoked?.();
  sayBye(missed);
  isTold = true;
  await outbox.emptied();
  await connection.finish(closeReasonOf(reason), false);
  clearTimeout(timer);
}

/** What the reason of a `bye` is for the connection. */
function closeReasonOf(reason: ByeReason): CloseReason {
  return CLOSE_REASONS[reason] ?? "protocol";
}
