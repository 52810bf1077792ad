/** Clients that reset before they are accepted hold up no other. */
import { assert, assertEquals } from "@std/assert";
import { serveEcho, serveEchoThreads } from "../../lib/echo/mod.ts";
import { encodeFrame } from "../../lib/frame/mod.ts";
import { type Address, listen, type Listener } from "../../lib/net/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { assertFeltLittle, longestWaitMs } from "../support/neighbour.ts";
import { LOOPBACK } from "../support/peers.ts";
import { soakSize } from "../support/soak_size.ts";
import { SERVER_TLS, TLS_FILES } from "../support/tls.ts";
import { isInstalled, runTool } from "../support/tools.ts";

/** More than fit into the kernel's queue at once; each would delay the next client by a pause. */
const RESETS = 4_000;

interface Kind {
  serve(listener: Listener): AsyncDisposable & { readonly address: Address };
  readonly hello: Uint8Array;
}

const KINDS: Record<string, Kind> = {
  "echo server": { serve: (listener) => serveEcho(listener), hello: Uint8Array.of(1) },
  "request server": {
    serve: (listener) => serveRequests(listener, () => ({ content: "answer" })),
    hello: encodeFrame({ content: "request" }),
  },
  "broker": {
    serve: (listener) => serveBroker(listener),
    hello: encodeFrame({ header: { op: "ping", id: 1 } }),
  },
};

const skip = Deno.build.os === "windows" || !isInstalled("python3", "clients that reset");

/** Whether the next client, and one beside them, are answered in time. */
async function assertNoneWait({ address }: { address: Address }, hello: Uint8Array, ca: string[]) {
  assert(address.transport === "tcp");
  const script = `${import.meta.dirname}/../support/reset_clients.py`;
  const args = [String(address.port), String(RESETS), hello.toHex(), ...ca];
  const { code, out, err } = await runTool("python3", [script, ...args]);
  assertEquals(code, 0, err);
  const { quiet, beside, resets, after } = JSON.parse(out) as Record<string, number[]>;
  // A single request may meet what else the machine does. Of two cores, those who reset take one.
  const felt = beside!.toSorted((a, b) => a - b).slice(0, -1);
  assertFeltLittle(felt, quiet!, "beside the resets", 2 * longestWaitMs());
  // The server may have to accept all of them first, in turns with those who make them. On a machine
  // that is busy with something else both take longer. A single round may meet that alone.
  const late = after!.filter((ms, round) => ms > Math.max(longestWaitMs(), 2 * resets![round]!));
  assert(late.length < 2, `in ms, after resets that took ${resets}: ${after}`);
}

for (const [i, [name, { serve, hello }]] of Object.entries(KINDS).entries()) {
  // TLS is accepted by the listener, which all servers have alike.
  for (const tls of i < soakSize(1, 3) ? [undefined, SERVER_TLS] : [undefined]) {
    Deno.test({
      name: `4,000 clients that reset hold up no other client of the ${name}${
        tls ? " over TLS" : ""
      }`,
      ignore: skip,
      async fn() {
        await using server = serve(await listen(LOOPBACK, { tls }));
        await assertNoneWait(server, hello, tls ? [TLS_FILES.ca] : []);
      },
    });
  }
}

Deno.test({
  name: "4,000 clients that reset hold up no other client of a proxy, which does not dial for them",
  ignore: skip,
  async fn() {
    await using server = await serveEcho(LOOPBACK);
    let failed = 0;
    await using proxy = await serveProxy(LOOPBACK, server.address, {
      observer: {
        acceptFailed: ({ code, operation }) => {
          assertEquals([code, operation], ["reset", "accept"]);
          failed++;
        },
      },
    });
    await assertNoneWait(proxy, Uint8Array.of(1), []);
    assert(failed > 0, "all of them were dialled");
  },
});

Deno.test({
  name: "4,000 clients that reset hold up no other client of an echo server with two threads",
  ignore: skip || Deno.build.os !== "linux",
  async fn() {
    await using server = await serveEchoThreads(LOOPBACK, 2);
    await assertNoneWait(server, Uint8Array.of(1), []);
  },
});
