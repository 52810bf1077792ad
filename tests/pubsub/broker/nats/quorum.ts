/** A cluster of which one server of three is left. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { PubSubMessage } from "../../../../lib/pubsub/mod.ts";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { formatAddress } from "../../../../lib/net/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import type { NatsCluster } from "../../../support/nats.ts";
import { RawClient } from "../../../support/peers.ts";
import { type ServerProgram, socktool } from "../../../support/programs.ts";
import { op, RawPeer } from "../../support.ts";

/** How long JetStream may take to answer again once all servers are there. */
const RECOVERY_MS = 60_000;

/** What JetStream has to do: each is refused while it has no quorum. */
const NEEDS_JETSTREAM = [
  op("pub", { topic: "kept.here", retain: true, id: 1 }, "kept"),
  op("pub", { topic: "runs.stored", stored: true, id: 1 }, "stored"),
  op("stream", { do: "create", name: "late", topics: ["late.>"], id: 1 }),
];

/**
 * Two servers die: what needs JetStream is refused as unavailable for the moment, everything else goes
 * on over the last one, and health tells it. When they are back, so is everything.
 *
 * @param gateways Two, with `--http`; a stream keeps `runs.>`.
 */
export async function loseQuorum(
  cluster: NatsCluster,
  gateways: readonly [ServerProgram, ServerProgram],
): Promise<void> {
  const [one, other] = gateways;
  const dead = cluster.servers.slice(1);
  await Promise.all(dead.map((server) => server.kill()));
  const refusals = NEEDS_JETSTREAM.map((request) => answerTo(one, request));

  await using left = await connectBroker(formatAddress(one.address));
  await using right = await connectBroker(formatAddress(other.address));
  const subscription = await right.subscribe("plain");
  // Until both are connected to the last server, publications between them are lost, and told.
  let heard: PubSubMessage | undefined;
  void subscription.next().then(({ value }) => heard = value);
  await until(async () => {
    await left.publish("plain", "goes on");
    return heard !== undefined;
  }, "publications go on");
  assertEquals(heard?.text(), "goes on");

  for (const { header } of await Promise.all(refusals)) {
    assertEquals([header["op"], header["code"]], ["error", "unavailable"]);
    assert(Number(header["retry-after-ms"]) > 0, JSON.stringify(header));
  }
  for (const gateway of gateways) await until(() => isReady(gateway, 503), "health tells it");
  const since = performance.now();
  for (let i = 0; i < 3; i++) await right.subscribe(`during.${i}`);
  // JetStream is given three seconds for an answer.
  assert(performance.now() - since < 6_000, "who subscribes does not wait for JetStream");
  const url = new URL(pagesOf(one));
  const { code, err } = await socktool(["health", url.host, "--ready"]);
  assertEquals(code, 1);
  assertStringIncludes(err, "degraded: JetStream is unavailable, so nothing can be retained");
  const alive = await fetch(`${url}healthz`);
  await alive.body?.cancel();
  assertEquals(alive.status, 200);

  await Promise.all(dead.map((server) => server.restart()));
  for (const request of NEEDS_JETSTREAM) {
    await until(
      async () => {
        const { header } = await answerTo(one, request);
        // A refused one may have been carried out.
        return header["op"] === "ok" || header["code"] === "stream-exists";
      },
      "it is done again",
      RECOVERY_MS,
    );
  }
  for (const gateway of gateways) await until(() => isReady(gateway, 200), "health tells it");
  const kept = await right.subscribe("kept.here");
  const { value } = await deadline(kept.next(), "what was retained");
  assertEquals(value?.text(), "kept");
}

async function answerTo(gateway: ServerProgram, request: ReturnType<typeof op>) {
  const { conn } = await RawClient.connect(gateway.address);
  using peer = new RawPeer(conn);
  await peer.send(request);
  return await peer.frame();
}

async function isReady(gateway: ServerProgram, status: number): Promise<boolean> {
  const response = await fetch(`${pagesOf(gateway)}readyz`);
  await response.body?.cancel();
  return response.status === status;
}

function pagesOf({ err }: ServerProgram): string {
  return /pages on (http:\S+)/.exec(err)![1]!;
}
