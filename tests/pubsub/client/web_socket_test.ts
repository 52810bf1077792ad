/** The clients over WebSockets, by their URLs. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AddressError,
  connectBroker,
  type MissedPublications,
} from "../../../lib/pubsub/client/mod.ts";
import { openWebSocket, toWebSocketAddress } from "../../../lib/net/web_socket.ts";
import { connectRequests, RequestError } from "../../../lib/request/client/mod.ts";
import { serveRequests } from "../../../lib/request/mod.ts";
import { formatAddress } from "../../../lib/net/mod.ts";
import { until } from "../../support/deadline.ts";
import { bridgeTo } from "../../support/web_socket_peers.ts";
import { RawPeer, startBroker } from "../support.ts";

Deno.test("a client connects to a URL, and again when the WebSocket is lost", async () => {
  await using broker = await startBroker();
  const first = bridgeTo(broker.address);
  await using second = bridgeTo(broker.address);
  let connected = 0;
  await using client = await connectBroker([first.url, new URL(second.url)], {
    reconnect: { firstMs: 1 },
    onState: ({ state }) => void (connected += Number(state === "connected")),
  });
  const got: string[] = [];
  await client.subscribe("t", { onMessage: (message) => void got.push(message.text()) });
  assertEquals(await client.publishConfirmed("t", "one"), 1);
  await first[Symbol.asyncDispose]();
  await until(() => connected === 2, "the second server");
  assertEquals(await client.publishConfirmed("t", "two"), 1);
  await until(() => got.at(-1) === "two");
  await client.drain();
});

Deno.test("what is no URL of a WebSocket is refused before anything is connected", async () => {
  for (const text of ["localhost:5635", "", "unix:/tmp/x", "/ws"]) {
    await assertRejects(() => connectBroker(text), AddressError, "ws://");
    await assertRejects(() => connectBroker(["ws://localhost:1/ws", text]), AddressError, "ws://");
    await assertRejects(() => connectRequests(text), AddressError, "ws://");
  }
});

Deno.test("a program that takes nothing loses what slow says, exactly counted, and stays connected", async () => {
  await using broker = await startBroker();
  await using bridge = bridgeTo(broker.address);
  const duplex = await openWebSocket(toWebSocketAddress(bridge.url));
  let readBytes = 0;
  await using client = await connectBroker({
    buffersInput: duplex.buffersInput,
    read: async (into) => {
      const count = await duplex.read(into);
      readBytes += count ?? 0;
      return count;
    },
    write: (bytes) => duplex.write(bytes),
    close: () => duplex.close(),
  });
  const missed: MissedPublications[] = [];
  const subscription = await client.subscribe("t", {
    maxQueuedMessages: 10,
    onMissed: (told) => void missed.push(told),
  });
  const peer = await RawPeer.to(broker);
  const content = new Uint8Array(10_000);
  const count = 3_000;
  for (let i = 0; i < count; i++) await peer.send({ header: { op: "pub", topic: "t" }, content });
  await peer.send({ header: { op: "pub", topic: "t", last: true }, content });
  await until(() => readBytes > (count + 1) * content.length, "all is read that nobody takes");
  let taken = 0;
  for await (const { header } of subscription) {
    taken++;
    if (header["last"]) break;
  }
  const lost = missed.reduce((sum, { count }) => sum + count!, 0);
  assertEquals(taken + lost, count + 1);
  assert(lost > 0 && missed.every(({ reason }) => reason === "slow"), JSON.stringify(missed));
  assertEquals(client.state, "connected");
  peer.conn.close();
});

Deno.test("requests go over a WebSocket, with a greeting", async () => {
  const seen: string[] = [];
  await using server = await serveRequests("127.0.0.1:0", (request) => {
    seen.push(request.text());
    if (request.text() === "who?") throw new RequestError("unauthorized", "Nobody knows you");
    return request.text().toUpperCase();
  });
  await using bridge = bridgeTo(server.address);
  await using client = await connectRequests(bridge.url, { greeting: "hello" });
  assertEquals((await client.request("x".repeat(300_000))).text(), "X".repeat(300_000));
  assertEquals(seen[0], "hello");
  assertEquals(formatAddress(client.remote!), bridge.url);
  const refused = () => connectRequests(bridge.url, { greeting: "who?" });
  assertEquals((await assertRejects(refused, RequestError)).code, "unauthorized");
});
