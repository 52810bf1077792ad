import { assertEquals, assertRejects } from "@std/assert";
import type { Context } from "../../../cmd/_cli/mod.ts";
import { printPublished, type PublishedFlags } from "../../../cmd/_pubsub/print_published.ts";
import { SubBounds } from "../../../cmd/_pubsub/sub_bounds.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { ScriptedDuplex } from "../../pubsub/client/support.ts";
import { deadline } from "../../support/deadline.ts";

const FLAGS: PublishedFlags = {
  retained: false,
  group: undefined,
  slow: "drop-oldest",
  reply: undefined,
  "reply-timeout": 1_000,
  "max-reply": 1_000,
  parallel: 1,
  "drain-timeout": 1_000,
};

/** Subscribes at a broker that answers nothing but what a client says first. */
async function subscribe(timeout: number | undefined, signal: AbortSignal) {
  const client = await connectBroker(
    new ScriptedDuplex((op) => op === "hello" ? {} : undefined),
  );
  const log = { detail() {}, warn() {} };
  const context = { log, signal, out: {} } as unknown as Context;
  using bounds = new SubBounds({ count: undefined, timeout });
  return await deadline(printPublished(client, ["t"], FLAGS, {}, bounds, context));
}

Deno.test("a broker that does not confirm a subscription is waited for as long as --timeout says", async () => {
  const signal = new AbortController().signal;
  await assertRejects(
    () => subscribe(20, signal),
    Error,
    "The broker did not confirm the subscription in 20 ms",
  );
});

Deno.test("a broker that does not confirm a subscription is not waited for after SIGINT", async () => {
  const stop = new AbortController();
  const printing = subscribe(undefined, stop.signal);
  stop.abort();
  assertEquals(await printing, undefined);
});
