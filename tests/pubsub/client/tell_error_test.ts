import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { redirectErrors } from "../../../lib/base/report.ts";
import { connectBroker, PubSubError } from "../../../lib/pubsub/mod.ts";
import { errorTeller } from "../../../lib/pubsub/client/tell_error.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { storedTest } from "./kept_orders.ts";
import { codeOf, FAST, restart } from "./support.ts";

Deno.test("errors go to onError, and where there is none or it throws to the reporter", () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const told: unknown[] = [];
  errorTeller((error) => void told.push(error))("one", "It failed");
  assertEquals([told, reported], [["one"], []]);
  errorTeller(undefined)("two", "It failed");
  assertEquals(reported.splice(0), ["It failed: two"]);
  errorTeller(() => {
    throw "worse";
  })("three", "It failed");
  assertEquals(reported, ["It failed: three", "The callback onError failed: worse"]);
});

/** How a callback of the program may fail. */
const FAILURES: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error("callback");
  },
  rejects: () => Promise.reject(new Error("callback")),
  "rejects later": async () => {
    await pause(1);
    throw new Error("callback");
  },
};

for (const [how, fail] of Object.entries(FAILURES)) {
  Deno.test(`an onError that ${how} is reported, and so is what it was told`, async () => {
    const reported: string[] = [];
    using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
    errorTeller(fail as () => void)("one", "It failed");
    await until(() => reported.length === 2);
    assertEquals(reported, [
      "It failed: one",
      "The callback onError failed: Error: callback",
    ]);
  });

  Deno.test(`an onState that ${how} is told of, and the client connects`, async () => {
    await using broker = await startBroker();
    const told: unknown[] = [];
    await using client = await connectBroker(broker.address, {
      onState: fail as () => void,
      onError: (error) => void told.push(error),
    });
    assertEquals(await client.publishConfirmed("nobody"), 0);
    await until(() => told.length === 1);
    await client.close();
    await until(() => told.length === 2, "it is told of the end, too");
  });

  storedTest(
    `an onCaughtUp that ${how} is told of, and the replay ends`,
    async ({ client, errors }) => {
      await client.publishStored("orders.a", "one");
      const onCaughtUp = fail as () => void;
      const texts: string[] = [];
      const reading = (async () => {
        const replay = client.replay("orders", { live: false, onCaughtUp });
        for await (const message of replay) texts.push(message.text());
      })();
      await deadline(reading);
      await until(() => errors.length === 1);
      assertEquals([texts, String(errors[0])], [["one"], "Error: callback"]);
      assertEquals(client.state, "connected");
    },
  );
}

/** What a callback may return that can be waited for, and is no promise. */
const THENABLES: Readonly<
  Record<string, (tell: () => void, fail: (error: unknown) => void) => void>
> = {
  "throws": () => {
    throw new Error("then");
  },
  "calls back at once": (tell) => tell(),
  "calls back twice": (tell) => {
    tell();
    tell();
  },
  "calls back and throws": (tell) => {
    tell();
    throw new Error("then");
  },
  "does both": (tell, fail) => {
    fail(new Error("then"));
    tell();
  },
};

for (const name of ["onMessage", "onMessages"] as const) {
  Deno.test(`${name} may return anything with a method then: the next message comes`, async () => {
    await using broker = await startBroker();
    await using client = await connectBroker(broker.address, { onError: () => {} });
    for (const [topic, then] of Object.values(THENABLES).entries()) {
      let calls = 0;
      const callback = () => {
        calls++;
        return { then } as unknown as Promise<void>;
      };
      await client.subscribe(`t.${topic}`, { [name]: callback });
      for (let i = 1; i <= 3; i++) {
        await client.publish(`t.${topic}`, "x");
        await until(() => calls === i, Object.keys(THENABLES)[topic]);
      }
    }
  });
}

Deno.test("what has a callback is not iterated over", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const subscription = await client.subscribe("t", { onMessage: () => {} });
  await assertRejects(() => deadline(subscription.next()), TypeError, "callback");
  const consumption = client.consume("orders", "workers", { onMessage: () => {} });
  await assertRejects(() => deadline(consumption.next()), TypeError, "callback");
  await assertRejects(() => consumption.finished);
});

Deno.test("credentials that a function gives are checked as others are", async () => {
  await using broker = await startBroker();
  for (const given of [5, "user:secret", ["a"], null, { token: 5 }]) {
    const credentials = (() => given) as unknown as () => { token: string };
    await assertRejects(
      () => connectBroker(broker.address, { credentials }),
      TypeError,
      "Cannot use",
    );
  }
});

Deno.test("a refused publication that nobody waits for is told of", async () => {
  await using broker = await startBroker();
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const told: unknown[] = [];
  await using loud = await connectBroker(broker.address, { onError: (error) => told.push(error) });
  await using silent = await connectBroker(broker.address);
  for (const client of [loud, silent]) await client.publish("_other.x", "x");
  await until(() => told.length === 1 && reported.length === 1);
  assert(told[0] instanceof PubSubError);
  assertEquals(told[0].code, "forbidden");
  assertStringIncludes(reported[0]!, "The broker refused a publication: PubSubError");
  // One that is waited for is told of by its promise alone.
  assertEquals(await codeOf(silent.publishConfirmed("_other.x")), "forbidden");
  assertEquals(await codeOf(silent.subscribe("_sys.x")), "forbidden");
  assertEquals([told.length, reported.length], [1, 1]);
});

Deno.test("a client whose callbacks fall silent for good says so, unless the program is told anyway", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const broker = await startBroker();
  const states: unknown[] = [];
  const told: unknown[] = [];
  const connect = (options = {}) => connectBroker(broker.address, { reconnect: false, ...options });
  const silent = await connect();
  const loud = await connect({ onError: (error: unknown) => told.push(error) });
  const watching = await connect({ onState: (change: unknown) => states.push(change) });
  const iterating = await connect();
  const closed = await connect();
  for (const client of [silent, loud, watching, closed]) {
    await client.subscribe("t", { onMessage: () => {} });
  }
  // The inbox of requests has a callback too, but whoever made a request is told by its promise.
  assertEquals(await codeOf(iterating.request("nobody")), "no-receivers");
  const subscription = await iterating.subscribe("t");
  await closed.close();
  await broker[Symbol.asyncDispose]();
  for (const client of [silent, loud, watching, iterating]) {
    assert(await client.finished instanceof Error);
  }
  assertEquals(reported.length, 1);
  assertStringIncludes(reported[0]!, "The client lost its broker for good");
  assertEquals(told.length, 1);
  assertEquals(states.length, 2);
  assertEquals(await codeOf(subscription.next()), "closed");
});

Deno.test("a subscription that is not permitted any more is told of", async () => {
  const reported: string[] = [];
  using _ = redirectErrors((error, what) => reported.push(`${what}: ${error}`));
  const first = await startBroker({ allowBlock: true });
  await using client = await connectBroker(first.address, { reconnect: FAST });
  await client.subscribe("t", { slow: "block", onMessage: () => {} });
  const iterated = await client.subscribe("u", { slow: "block" });
  await first[Symbol.asyncDispose]();
  await using _second = await restart(first);
  await until(() => reported.length === 1);
  assertStringIncludes(reported[0]!, "The subscription to t ended: PubSubError");
  assertEquals(await codeOf(iterated.next()), "forbidden");
  assertEquals(await client.publishConfirmed("t"), 0);
});
