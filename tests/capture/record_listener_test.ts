import { assert, assertEquals } from "@std/assert";
import { openRecorder, recordListener } from "../../lib/capture/mod.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { type Address, dial, listen, parseAddress, type ServerTls } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";
import { SERVER_TLS, TRUSTING } from "../support/tls.ts";
import { readAll } from "./packets.ts";

/** What is recorded of echo servers on a kind of address. */
async function echoed(scratch: Scratch, address: Address, tls?: ServerTls) {
  const path = scratch.at("e.pcapng");
  {
    using recorder = openRecorder({ path });
    const listener = recordListener(await listen(address, { tls }), recorder);
    await using server = serveEcho(listener);
    using conn = await dial(server.address, tls && TRUSTING);
    await conn.write(new TextEncoder().encode("hello"));
    await conn.closeWrite();
    assertEquals(await deadline(new Response(conn.readable).text()), "hello");
    await until(() => server.figures().connections === 0, "the connection is over");
  }
  const { seen } = await readAll(Deno.readFileSync(path));
  return { ...seen[0]!, count: seen.length, file: Deno.readTextFileSync(path) };
}

Deno.test("connections over TLS are recorded as they are without it, over Unix sockets with the path", async () => {
  using scratch = new Scratch();
  const cases: [Address, ServerTls?][] = [
    [parseAddress("127.0.0.1:0")],
    [parseAddress("[::1]:0")],
    [parseAddress("127.0.0.1:0"), SERVER_TLS],
  ];
  if (Deno.build.os !== "windows") cases.push([parseAddress(`unix:${scratch.at("s")}`)]);
  for (const [address, tls] of cases) {
    const { up, down, how, ended, count, file } = await echoed(scratch, address, tls);
    const what = `${JSON.stringify(address)}, TLS ${tls !== undefined}`;
    assertEquals([up, down, count], [["hello"], ["hello"], 1], what);
    assertEquals([how, ended], ["closed", "up down "], what);
    if (address.transport === "unix") assert(file.includes(`unix:${address.path}`));
  }
});

Deno.test("a recording tells whether a client broke off, and that the server did", async () => {
  using scratch = new Scratch();
  const path = scratch.at("r.pcapng");
  {
    using recorder = openRecorder({ path });
    const listener = recordListener(await listen("127.0.0.1:0"), recorder);
    await using server = serveEcho(listener, { idleTimeoutMs: 50 });
    using conn = await dial(server.address);
    await conn.write(new TextEncoder().encode("x"));
    await deadline(new Response(conn.readable).text());
  }
  const { seen } = await readAll(Deno.readFileSync(path));
  assertEquals([seen[0]!.up, seen[0]!.how], [["x"], "reset"]);
});
