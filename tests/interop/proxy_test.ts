/** Python's sockets at both ends of a proxy, and everybody's programs through faults that lose nothing. */
import { assert, assertEquals } from "@std/assert";
import { exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import { type Address, type TcpAddress, toAddress } from "../../lib/net/mod.ts";
import { runLoad } from "../../lib/load/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, searchHandler } from "../../lib/search/mod.ts";
import { deadline } from "../support/deadline.ts";
import { Program, ROOT } from "../support/programs.ts";
import { isInstalled } from "../support/tools.ts";

const ANY_PORT = "127.0.0.1:0";
const PEER = `${import.meta.dirname}/reset_peer.py`;
const portOf = (address: Address) => String((address as TcpAddress).port);

/** What each end sees, for a reset by WHO at a time in the connection. */
const MATRIX: readonly (readonly [name: string, before: readonly string[]])[] = [
  ["at once", []],
  ["after bytes of the client", ["send client"]],
  ["after bytes of both", ["send client", "send upstream"]],
  ["after the client's half-close", ["send client", "half client"]],
  ["after the upstream's half-close", ["send upstream", "half upstream"]],
];

Deno.test({
  name: "a reset by either end, or by a fault, is ECONNRESET for who is left, whenever it comes",
  ignore: Deno.build.os === "windows" || !isInstalled("python3", "who sees a reset"),
  async fn() {
    const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const upstream = toAddress(`127.0.0.1:${free.addr.port}`);
    free.close();
    await using proxy = await serveProxy(ANY_PORT, upstream);
    await using peer = new Program([PEER, portOf(proxy.address), portOf(upstream)], {
      stdin: "",
      shell: 'exec python3 "$@"',
    });
    let told = 0;
    const say = async (command: string) => {
      await peer.type(`${command}\n`);
      told++;
      await deadline(untilLines(peer, told), command);
      return peer.out.split("\n")[told - 1];
    };
    for (const [name, before] of MATRIX) {
      for (const who of ["client", "upstream", "proxy"] as const) {
        // Nor to the proxy.
        if (before.includes(`half ${who}`)) continue;
        await say("open");
        for (const command of before) {
          const expected = command.startsWith("send") ? "5" : "end";
          assertEquals(await say(command), expected, `${name}: ${command}`);
        }
        if (who === "proxy") proxy.set(["both reset"]);
        else await say(`reset ${who}`);
        for (const end of ["client", "upstream"]) {
          // A system tells no reset to who has read the end of the stream, before it sends something.
          const peer = end === "client" ? "upstream" : "client";
          if (end === who || before.includes(`half ${peer}`)) continue;
          const seen = await say(`see ${end}`);
          assertEquals(seen, "ECONNRESET", `${name}: reset by ${who}, seen by ${end}`);
        }
        proxy.set([]);
        await say("close");
      }
    }
  },
});

async function untilLines(peer: Program, count: number): Promise<void> {
  while (peer.out.split("\n").length <= count) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What loses nothing, and puts every reading loop to the test. */
const FAULTS = ["both slice 1B", "both slice 1..7B", "both loss 30%"];

/** Calls a test with a proxy before a server, for each of the faults. */
async function throughFaults(
  upstream: Address,
  test: (address: Address) => Promise<void>,
): Promise<void> {
  for (const fault of FAULTS) {
    await using proxy = await serveProxy(ANY_PORT, upstream, { faults: [fault], seed: 26 });
    await deadline(test(proxy.address), fault);
    assert(proxy.reports()[0]!.fired > 0, fault);
  }
}

Deno.test("every role's session goes through slices of one byte, and through loss", async () => {
  await using echo = await serveEcho(ANY_PORT);
  const text = "hello, universe ".repeat(200);
  await throughFaults(echo.address, async (address) => {
    const { bytes } = await exchangeEcho(address, new Blob([text]).stream());
    assertEquals(bytes, text.length);
    const { summary } = await runLoad({ address, connections: 2, count: 20, verify: true });
    assertEquals([summary.messages, summary.errors], [40, 0]);
  });

  await using engine = await openSearch();
  await using search = await serveRequests(ANY_PORT, searchHandler(engine));
  await throughFaults(search.address, async (address) => {
    await using client = await connectRequests(address);
    const asked = { action: "search", value: "morpheus" };
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => client.request(jsonFrame(asked))),
    );
    for (const reply of replies) {
      assertEquals(reply.json<{ result: string }>().result, "Follow the white rabbit. 🐰");
    }
  });

  await using broker = await serveBroker(ANY_PORT);
  await throughFaults(broker.address, async (address) => {
    await using subscriber = await connectBroker(address);
    await using publisher = await connectBroker(address);
    const subscription = await subscriber.subscribe("orders.>");
    const texts = Array.from({ length: 10 }, (_, i) => `crate ${i} 🐰`);
    for (const text of texts) await publisher.publishConfirmed("orders.eu", text);
    const got: string[] = [];
    for await (const message of subscription) if (got.push(message.text()) === texts.length) break;
    assertEquals(got, texts);
  });
});

Deno.test("the tutorial's programs go through slices of one byte", async () => {
  const folder = `${ROOT}docs/tutorial/`;
  const outputOf = async (name: string, address: Address, ...args: readonly string[]) => {
    await using program = new Program(
      ["run", "-A", "--no-check", folder + name, "127.0.0.1", portOf(address), ...args],
    );
    const { code, out, err } = await program.finished();
    assertEquals(code, 0, err);
    return out;
  };
  const faults = ["both slice 1B"];
  await using echo = await serveEcho(ANY_PORT);
  await using proxy = await serveProxy(ANY_PORT, echo.address, { faults });
  await using requests = await serveRequests(ANY_PORT, (request) => {
    const { value } = request.json<{ value: string }>();
    return jsonFrame({ result: value.toUpperCase() });
  });
  await using framed = await serveProxy(ANY_PORT, requests.address, { faults });
  const [one, many, search] = await Promise.all([
    outputOf("02_echo_client.ts", proxy.address, "héllo, ", "universe"),
    outputOf("03_many_client.ts", proxy.address, "5"),
    outputOf("06_search_client.ts", framed.address, "a🐰", "b"),
  ]);
  assertEquals(one, "héllo, universe\n");
  assertEquals(many.match(/both messages came back/g)?.length, 5);
  assertEquals(search, "a🐰: A🐰\nb: B\n");
});
