import { assertEquals, assertGreater, assertLess } from "@std/assert";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { until } from "../support/deadline.ts";
import { RawClient } from "../support/peers.ts";
import { residentBytes, script, ServerProgram } from "../support/programs.ts";
import { skip } from "../support/skip.ts";
import { soakSize } from "../support/soak_size.ts";

const CONNECTIONS = soakSize(4_000, 10_000);
/** What a server has at its start, and what each connection may take: 200 MB with 10,000 of them. */
const MOST_BYTES = 100_000_000 + CONNECTIONS * 10_000;
const SERVER = script("tests/support/large_answers.ts");

async function ask(client: RawClient): Promise<void> {
  await client.send({ content: "10" });
  assertEquals((await client.answer())?.content.length, 10);
}

Deno.test({
  name: "a server that runs out of files says so, and serves again when there are some",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using server = await ServerProgram.start(SERVER, { openFiles: 64 });
    const clients: RawClient[] = [];
    // The kernel takes them all; the server cannot accept the last of them.
    for (let i = 0; i < 100; i++) {
      clients.push(await RawClient.connect(server.address));
      if (i === 0) await ask(clients[0]!);
    }
    await server.printed("too-many-open-files");
    // Those that say nothing give way to the one that asks last, and not the one that has asked before.
    await ask(clients.at(-1)!);
    await ask(clients[0]!);
    for (const client of clients) client.close();
    using client = await RawClient.connect(server.address);
    await ask(client);
  },
});

/** The hard limit of open files; `Infinity` if there is none. */
async function openFileLimit(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).output();
  const text = new TextDecoder().decode(stdout).trim();
  return text === "unlimited" ? Infinity : Number(text);
}

Deno.test({
  name: "thousands of idle connections take less than 10 KB each, and the server goes on answering",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const openFiles = CONNECTIONS + 500;
    if (await openFileLimit() < openFiles) {
      skip(`the limit of open files is below ${openFiles}`);
      return;
    }
    await using server = await ServerProgram.start(SERVER, { openFiles });
    const { hostname, port } = server.address as TcpAddress;
    const args = script("tests/support/many_clients.ts", hostname, String(port), `${CONNECTIONS}`);
    await using clients = await ServerProgram.start(args, { openFiles, stdin: "" });
    using client = await RawClient.connect(server.address);
    await ask(client);
    const openSockets = () => [...Deno.readDirSync(`/proc/${server.pid}/fd`)].length;
    await until(() => openSockets() > CONNECTIONS, "all are accepted");
    assertLess(residentBytes(server.pid), MOST_BYTES);
    for (let i = 0; i < 100; i++) await ask(client);
    await clients.endStdin();
    assertEquals((await clients.finished()).code, 0);
    await until(() => openSockets() < 500, "all are closed");
    assertGreater(residentBytes(server.pid), 0);
    await ask(client);
  },
});
