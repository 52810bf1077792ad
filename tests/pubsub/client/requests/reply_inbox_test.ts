import { assertEquals, assertRejects } from "@std/assert";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../../../lib/access/mod.ts";
import type { FrameHeader } from "../../../../lib/frame/mod.ts";
import { ClientCore } from "../../../../lib/pubsub/client/client_core.ts";
import { dial } from "../../../../lib/net/mod.ts";
import {
  type BrokerClient,
  connectBroker,
  PUBSUB_RIGHTS,
  PubSubError,
} from "../../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { startBroker } from "../../support.ts";

const RIGHTS = { publish: { allow: [">"] }, subscribe: { allow: [">"] } };
const FILE = JSON.stringify({ tokens: [{ name: "ali", token: hashToken("a"), ...RIGHTS }] });

for (const authenticated of [false, true]) {
  const where = authenticated ? "with" : "without";
  Deno.test(`requests go on over connections, ${where} authentication`, async () => {
    const authenticator = new FileAuthenticator(parseAuthFile(FILE, PUBSUB_RIGHTS));
    await using broker = await startBroker(authenticated ? { authenticator } : {});
    const credentials = { token: "a" };
    await using server = await connectBroker(broker.address, { credentials });
    await server.subscribe("double", {
      onMessage: (message) => message.respond(message.text().repeat(2)),
    });
    // One that takes requests and never answers.
    await server.subscribe("silent", { onMessage: () => {} });
    const conns: Deno.Conn[] = [];
    await using client: BrokerClient = await connectBroker(
      async (signal) => {
        conns.push(await dial(broker.address, { signal }));
        return conns.at(-1)!;
      },
      { credentials, reconnect: { firstMs: 1, longestMs: 1 } },
    );
    for (let round = 1; round <= 3; round++) {
      const texts = await deadline(Promise.all(
        ["a", "b", "c"].map(async (text) => (await client.request("double", text)).text()),
      ));
      assertEquals(texts, ["aa", "bb", "cc"]);
      const unanswered = client.request("silent", "x");
      await until(() => broker.stats().published >= round * 7, "it was published");
      conns.at(-1)!.close();
      const error = await assertRejects(() => deadline(unanswered), PubSubError);
      assertEquals(error.code, "disconnected");
      // Made while there is no connection: it waits for the next.
      assertEquals((await deadline(client.request("double", "d"))).text(), "dd");
      await until(() => broker.stats().connections === 2, "the old connection is gone");
    }
    assertEquals(broker.stats().errors, 0);
  });
}

Deno.test("a request that timed out while there was no connection is not sent later", async () => {
  await using broker = await startBroker();
  await using server = await connectBroker(broker.address);
  const seen: string[] = [];
  await server.subscribe("t", {
    onMessage: (message) => {
      seen.push(message.text());
      return message.respond("reply");
    },
  });
  let open = Promise.withResolvers<void>();
  let conn: Deno.Conn | undefined;
  open.resolve();
  await using client = await connectBroker(async (signal) => {
    await open.promise;
    return conn = await dial(broker.address, { signal });
  }, { reconnect: { firstMs: 1, longestMs: 1 } });
  open = Promise.withResolvers();
  conn!.close();
  await until(() => client.state === "reconnecting", "the connection is lost");
  const error = await assertRejects(
    () => deadline(client.request("t", "late", { timeoutMs: 20 })),
    PubSubError,
  );
  assertEquals(error.code, "timed-out");
  open.resolve();
  assertEquals((await deadline(client.request("t", "in time"))).text(), "reply");
  assertEquals(seen, ["in time"]);
});

Deno.test("a request that is over waits for no answer of the broker's, which may not come", async () => {
  await using broker = await startBroker();
  await using server = await connectBroker(broker.address);
  const headers: FrameHeader[] = [];
  await server.subscribe("ask", {
    onMessage(message) {
      headers.push(message.header);
      if (message.text() !== "silence") void message.respond("reply");
    },
  });
  const core = new ClientCore((signal) => dial(broker.address, { signal }), {});
  await core.start();
  for (const options of [{}, { contentType: "x/y", fields: { "ok-if": "other", id: "x" } }]) {
    assertEquals((await deadline(core.inbox.request("ask", "text", options))).text(), "reply");
    assertEquals([core.answers.areAwaited, core.inbox.size], [false, 0]);
    const late = core.inbox.request("ask", "silence", { ...options, timeoutMs: 20 });
    await assertRejects(() => deadline(late), PubSubError, "No reply came");
    const nobody = core.inbox.request("nobody", "text", options);
    await assertRejects(() => deadline(nobody), PubSubError, "Nobody subscribes");
    assertEquals([core.answers.areAwaited, core.inbox.size], [false, 0]);
  }
  assertEquals(headers.map((header) => header["ok-if"]), Array(4).fill("nobody"));
  // What a program passes on of a request is no wish of its own.
  const { "content-length": _, ...fields } = headers[0]!;
  assertEquals(await server.publishConfirmed("ask", "silence", { fields }), 1);
  assertEquals(headers.at(-1)!["ok-if"], undefined);
  core.close(undefined);
  await core.finished;
});

Deno.test("only the topic that a request named is that of its replies", async () => {
  await using broker = await startBroker();
  await using server = await connectBroker(broker.address);
  await server.subscribe("ask", {
    async onMessage({ replyTo }) {
      const end = replyTo!.lastIndexOf(".") + 1;
      const number = replyTo!.slice(end);
      const others = [`0${number}`, `${number}0`, `${number}x`, `x${number}`, `+${number}`];
      others.push(`${number}e0`, "0", "x", `${"0".repeat(14)}${number}`, "9".repeat(40));
      for (const other of others) await server.publish(replyTo!.slice(0, end) + other, other);
      await server.publish(replyTo!, "right");
    },
  });
  await using client = await connectBroker(broker.address);
  for (let i = 0; i < 12; i++) assertEquals((await client.request("ask")).text(), "right");
});
