import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AddressError, formatAddress } from "../../lib/net/mod.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { listenLocally } from "../support/peers.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

Deno.test("addresses are texts or objects; a listener serves at once", async () => {
  await using byText = await serveBroker("127.0.0.1:0", { maxSubscriptions: 7 });
  await using byAddress = await serveBroker({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  const listener = await listenLocally();
  await using byListener = serveBroker(listener);
  for (const { address } of [byText, byAddress, byListener]) {
    for (const target of [address, formatAddress(address)]) {
      await using client = await connectBroker(target);
      assertEquals(await client.publishConfirmed("t"), 0);
    }
  }
});

Deno.test("one call listens and serves with TLS", async () => {
  await using broker = await serveBroker("127.0.0.1:0", { tls: SERVER_TLS });
  const tls = { caCerts: [CA], serverName: "localhost" };
  await using client = await connectBroker(broker.address, { tls });
  assertEquals(await client.publishConfirmed("t"), 0);
});

Deno.test("what is no broker's place, or contradicts itself, is refused", async () => {
  await assertRejects(() => connectBroker("localhost"), AddressError);
  await assertRejects(() => connectBroker("a:b:c"), AddressError);
  await assertRejects(() => serveBroker("localhost"), AddressError);
  for (const target of [undefined, null, 5635, {}, []] as unknown as string[]) {
    await assertRejects(() => connectBroker(target), TypeError);
  }
  const make = () => Promise.reject(new Error("not called"));
  await assertRejects(() => connectBroker(make, { tls: {} }), TypeError, "tls");
  using listener = await listenLocally();
  const tls = { tls: SERVER_TLS } as object;
  assertThrows(() => serveBroker(listener, tls), TypeError, "tls");
  await assertRejects(() => serveBroker("127.0.0.1:0", { maxPendingBytes: 1 }), RangeError);
});
