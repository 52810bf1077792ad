/** Python's sockets at both ends of a proxy, and everybody's programs through faults that lose nothing. */
import { assert, assertEquals } from "@std/assert";
import { exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import { type Address, formatAddress, type TcpAddress } from "../../lib/net/mod.ts";
import { runLoad } from "../../lib/load/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, searchHandler } from "../../lib/search/mod.ts";
import { deadline } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import {
  innerAppServer,
  InnerProgram,
  InnerServer,
  Program,
  ROOT,
  socktool,
} from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
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
  ["after the client's half-close without a byte", ["half client"]],
  ["after the upstream's half-close without a byte", ["half upstream"]],
  ["after bytes to a client that sent none", ["half client", "pour upstream"]],
  ["after bytes to an upstream that sent none", ["half upstream", "pour client"]],
];

/** What a command is answered with. */
const EXPECTED: Readonly<Record<string, string>> = { send: "5", pour: "100000", half: "end" };

Deno.test({
  name: "a reset by either end, or by a fault, is ECONNRESET for who is left, whenever it comes",
  ignore: Deno.build.os === "windows" || !isInstalled("python3", "who sees a reset"),
  async fn() {
    const upstream = { ...ownAddress(), hostname: "127.0.0.1" };
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
          const expected = EXPECTED[command.split(" ")[0]!];
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

Deno.test("our programs' sessions go through slices of one byte with loss", async () => {
  const faults = ["both slice 1B", "both loss 50%"];
  await using broker = await InnerServer.start(["broker", ":0"]);
  await using search = await innerAppServer();
  await using toBroker = await serveProxy(ANY_PORT, broker.address, { faults, seed: 2 });
  await using toSearch = await serveProxy(ANY_PORT, search.address, { faults, seed: 2 });
  const at = ["-s", formatAddress(toBroker.address)];
  const words = ["sub", ...at, "orders.>", "--count", "2", "--raw", "-v"];
  await using subscriber = new InnerProgram(words);
  await subscriber.printed("subscribed");
  const published = socktool(["pub", ...at, "orders.eu", "--lines"], {
    stdin: "a crate 🐰\nanother\n",
  });
  const found = await socktool([
    "app-client",
    formatAddress(toSearch.address),
    "search",
    "morpheus",
  ]);
  assertEquals(
    [found.code, found.out.includes("Follow the white rabbit. 🐰")],
    [0, true],
    found.err,
  );
  assertEquals((await published).code, 0, (await published).err);
  const { code, out } = await subscriber.finished();
  assertEquals([code, out], [0, "a crate 🐰another"]);
  for (const proxy of [toBroker, toSearch]) {
    assert(proxy.reports().every(({ fired }) => fired > 0), JSON.stringify(proxy.reports()));
  }
});

Deno.test("the tutorial's programs go through slices of one byte", async () => {
  const faults = ["both slice 1B"];
  const run = (name: string, ...args: readonly string[]) =>
    new Program(["run", "-A", "--no-check", `${ROOT}docs/tutorial/${name}`, ...args]);
  const outputOf = async (name: string, address: Address, ...args: readonly string[]) => {
    await using program = run(name, "127.0.0.1", portOf(address), ...args);
    const { code, out, err } = await program.finished();
    assertEquals(code, 0, err);
    return out;
  };
  /** A server of the tutorial's behind a proxy. */
  const startServer = async (name: string, ...before: readonly string[]) => {
    const address = ownAddress();
    const server = run(name, ...before, address.hostname, String(address.port));
    await server.printed("listening on", "out");
    const proxy = await serveProxy(ANY_PORT, address, { faults });
    return { server, proxy, address: proxy.address };
  };
  using scratch = new Scratch();
  await using stack = new AsyncDisposableStack();
  const servers = await Promise.all([
    startServer("03_many_server.ts"),
    startServer("06_search_server.ts"),
    startServer("08_broker.ts"),
    startServer("09_log_server.ts", scratch.at("log.frames")),
  ]);
  for (const { server, proxy } of servers) {
    stack.use(server);
    stack.use(proxy);
  }
  const [echo, search, broker, log] = servers.map(({ address }) => address) as [
    Address,
    Address,
    Address,
    Address,
  ];
  await using subscriber = run("08_pub_sub.ts", "127.0.0.1", portOf(broker), "sub", "t", "3");
  await subscriber.printed("subscribed", "out");
  const [one, many, found, , kept] = await Promise.all([
    outputOf("02_echo_client.ts", echo, "héllo, ", "universe"),
    outputOf("03_many_client.ts", echo, "5"),
    outputOf("06_search_client.ts", search, "dog", "🐰"),
    outputOf("08_pub_sub.ts", broker, "pub", "t", "3"),
    outputOf("09_log_client.ts", log, "pub", "one", "twö"),
  ]);
  assertEquals(one, "héllo, universe\n");
  assertEquals(many.match(/both messages came back/g)?.length, 5);
  assertEquals(found, "dog: Good boy.\n🐰: No match for '🐰'.\n");
  assertEquals(kept, "one: kept as 1\ntwö: kept as 2\n");
  assertEquals(await outputOf("09_log_client.ts", log, "read", "1", "2"), "1: one\n2: twö\n");
  const { out } = await subscriber.finished();
  assertEquals(out, "subscribed to t\n3 received + 0 missed = 3\n");
});
