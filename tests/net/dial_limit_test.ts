import { assert, assertEquals } from "@std/assert";
import { ConnectionError } from "../../lib/net/mod.ts";
import { DialLimit } from "../../lib/net/dial_limit.ts";
import { until } from "../support/deadline.ts";

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
const CAUSE = new Deno.errors.ConnectionRefused("refused");

/** A failure as its operation and code. */
async function told(limit: DialLimit, cause: unknown = CAUSE): Promise<unknown[]> {
  const failure = await limit.failure(ADDRESS, cause);
  assert(failure instanceof ConnectionError, String(failure));
  return [failure.operation, failure.code];
}

Deno.test("what an attempt to connect fails with depends on who has ended it, and when", async () => {
  using failing = new DialLimit(60_000, undefined);
  assertEquals(await told(failing), ["connect", "refused"]);
  failing.operation = "tls-handshake";
  assertEquals(await told(failing), ["tls-handshake", "refused"]);
  const known = new ConnectionError("connect", ADDRESS, CAUSE, "not-supported");
  assertEquals(await failing.failure(ADDRESS, known), known);

  using late = new DialLimit(1, new AbortController().signal);
  await until(() => late.signal.aborted);
  assertEquals([late.isOver, await told(late)], [true, ["connect", "timed-out"]]);

  const caller = new AbortController();
  using given = new DialLimit(60_000, caller.signal);
  const reason = new Error("no longer wanted");
  caller.abort(reason);
  assertEquals([given.signal.aborted, given.isOver], [true, false]);
  assertEquals(await given.failure(ADDRESS, CAUSE), reason);
  using early = new DialLimit(60_000, caller.signal);
  assertEquals([early.signal.aborted, early.isOver], [true, false]);
});
